import { expect, test } from 'bun:test';
import { compileGoRegexp, tolerantGoRegexp } from './go-regexp.ts';

test('finds as Go does, flags included', () => {
  expect(tolerantGoRegexp('(?i)WEB').test('my-web-1')).toBe(true);
  expect(tolerantGoRegexp('^web$').test('web1')).toBe(false);
  expect(tolerantGoRegexp('w[a-z]b').test('xweb')).toBe(true);
  expect(tolerantGoRegexp('\\pL').test('1ü')).toBe(true);
});

test('plain text is found without an engine, special characters are not taken for plain', () => {
  expect(tolerantGoRegexp('my_web-1/x').test('my_web-1/x')).toBe(true);
  expect(tolerantGoRegexp('a.c').test('abc')).toBe(true);
});

test('what Go refuses is refused with its text, and matches nothing', () => {
  expect(() => compileGoRegexp('[')).toThrow('error parsing regexp: missing closing ]: `[`');
  expect(() => compileGoRegexp('(?=x)')).toThrow(
    expect.objectContaining({
      code: 'invalid_argument',
      message: 'error parsing regexp: invalid or unsupported Perl syntax: `(?=`',
    }),
  );
  expect(tolerantGoRegexp('[').test('[a')).toBe(false);
});

test('a pattern that makes others backtrack for ages takes no time', () => {
  expect(tolerantGoRegexp('^(a+)+$').test(`${'a'.repeat(5000)}b`)).toBe(false);
});
