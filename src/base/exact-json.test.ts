import { expect, test } from 'bun:test';
import { parseExactJson, stringifyExactJson } from './exact-json.ts';

test('integers that a number cannot hold keep their digits, both ways', () => {
  const text = '{"n":1795309693947367826,"m":5,"s":"1795309693947367826","all":18446744073709551615}';
  const value = { n: 1795309693947367826n, m: 5, s: '1795309693947367826', all: 18446744073709551615n };
  expect(parseExactJson(text)).toEqual(value);
  expect(stringifyExactJson(value)).toBe(text);
});

test('a value that refers to itself is refused', () => {
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  expect(() => stringifyExactJson(circle)).toThrow(TypeError);
});
