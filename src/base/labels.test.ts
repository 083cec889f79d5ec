import { expect, test } from 'bun:test';
import { hasLabel } from './labels.ts';

test.each([
  ['a', true],
  ['a=1', true],
  ['a=2', false],
  ['empty', true],
  ['empty=', true],
  ['b', false],
  ['constructor', false],
  ['__proto__', false],
])('hasLabel: %s', (filter, expected) => {
  expect(hasLabel({ a: '1', empty: '' }, filter)).toBe(expected);
});
