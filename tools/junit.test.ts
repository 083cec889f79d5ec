import { describe, expect, test } from 'bun:test';
import { addTotals, formatTotals, parseJunitTotals } from './junit.ts';

describe('parseJunitTotals', () => {
  test('counts what passed as what neither failed nor was skipped', () => {
    const xml =
      '<?xml?>\n<testsuites name="bun test" tests="17" assertions="9" failures="2" skipped="1" time="2">\n</testsuites>';
    expect(parseJunitTotals(xml)).toEqual({ passed: 14, failed: 2, skipped: 1 });
  });

  test('a missing or cut-off report is no report', () => {
    expect(parseJunitTotals('')).toBeUndefined();
    expect(parseJunitTotals('<testsuites tests="1"><testsuite')).toBeUndefined();
  });
});

test('`formatTotals`: skipped only when there are any', () => {
  expect(formatTotals({ passed: 3, failed: 0, skipped: 0 })).toBe('3 passed, 0 failed');
  const sum = addTotals({ passed: 1, failed: 1, skipped: 1 }, { passed: 1, failed: 0, skipped: 1 });
  expect(formatTotals(sum)).toBe('2 passed, 1 failed, 2 skipped');
});
