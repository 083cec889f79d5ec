import { describe, expect, test } from 'bun:test';
import { addTotals, failure, formatTotals, NO_TESTS, parseJunitTotals } from './junit.ts';

describe('parseJunitTotals', () => {
  test('counts what passed as what neither failed nor was skipped', () => {
    const xml =
      '<?xml?>\n<testsuites name="bun test" tests="17" assertions="9" failures="2" skipped="1" time="2">\n</testsuites>';
    expect(parseJunitTotals(xml)).toEqual({ passed: 14, failed: 2, skipped: 1, failures: [] });
  });

  test('names each failed test with its reason on one line', () => {
    const xml = `<testsuites tests="3" failures="2"><testsuite name="g">
      <testcase name="adds &lt;x&gt;" classname="group &amp; &quot;q&quot;" time="0" file="a.test.ts" line="3">
        <failure type="AssertionError" message="expected 1&#10;  got 2">AssertionError</failure>
      </testcase>
      <testcase name="fine" classname="group" time="0" file="a.test.ts" line="5" assertions="0" />
      <testcase name="slow" classname="" file="a.test.ts" line="7"><failure message="test timed out" /></testcase>
    </testsuite></testsuites>`;
    expect(parseJunitTotals(xml)?.failures).toEqual([
      'a.test.ts:3: group & "q" > adds <x>: expected 1 got 2',
      'a.test.ts:7: slow: test timed out',
    ]);
  });

  test('a missing or cut-off report is no report', () => {
    expect(parseJunitTotals('')).toBeUndefined();
    expect(parseJunitTotals('<testsuites tests="1"><testsuite')).toBeUndefined();
  });
});

test('`formatTotals`: skipped only when there are any', () => {
  expect(formatTotals({ ...NO_TESTS, passed: 3 })).toBe('3 passed, 0 failed');
  const sum = addTotals(
    { ...failure('a'), passed: 1, skipped: 1 },
    { ...failure('b'), passed: 1, skipped: 1 },
  );
  expect(formatTotals(sum)).toBe('2 passed, 2 failed, 2 skipped');
  expect(sum.failures).toEqual(['a', 'b']);
});
