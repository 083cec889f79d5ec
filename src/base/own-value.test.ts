import { expect, test } from 'bun:test';
import { ownValue } from './own-value.ts';

test('`ownValue`: entries only', () => {
  const table = { one: 1, none: undefined };
  expect(['one', 'none', 'two', 'constructor', '__proto__'].map((name) => ownValue(table, name))).toEqual([
    1,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
