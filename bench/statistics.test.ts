import { expect, test } from 'bun:test';
import { quantile, summarize } from './statistics.ts';

test('`quantile`: interpolates between neighbours, whatever the order', () => {
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
  expect(quantile([10, 20, 30], 0.9)).toBeCloseTo(28);
  expect(quantile([7], 0.9)).toBe(7);
  expect(() => quantile([], 0.5)).toThrow('no samples');
});

test('`summarize`: median, p90 and how many', () => {
  expect(summarize([1, 2, 3, 4, 5])).toEqual({ median: 3, p90: 4.6, samples: 5 });
});
