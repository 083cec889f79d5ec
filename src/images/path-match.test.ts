import { describe, expect, test } from 'bun:test';
import { parseReference } from '#oci';
import { compilePattern } from './path-match.ts';
import { referenceMatcher } from './reference-filter.ts';

const cases: readonly (readonly [pattern: string, name: string, matches: boolean])[] = [
  ['abc', 'abc', true],
  ['*', 'abc', true],
  ['*c', 'abc', true],
  ['a*', 'ab/c', false],
  ['a*/b', 'a/c/b', false],
  ['a*b*c*d*e*/f', 'axbxcxdxexxx/f', true],
  ['ab[c]', 'abc', true],
  ['ab[b-d]', 'abc', true],
  ['ab[^e-g]', 'abc', true],
  ['a\\*b', 'a*b', true],
  ['a\\*b', 'ab', false],
  ['a?b', 'a☺b', true],
  ['a[^a]b', 'a☺b', true],
  ['a???b', 'a☺b', false],
  ['[a-ζ]*', 'α', true],
  ['a?b', 'a/b', false],
  ['a*b', 'a/b', false],
  ['[\\]a]', ']', true],
  ['[x\\-]', '-', true],
  ['[\\-x]', 'x', true],
  ['[z-a]', 'b', false],
  ['*x', 'xxx', true],
  ['a.c', 'abc', false],
];

describe('compilePattern', () => {
  for (const [pattern, name, matches] of cases) {
    test(`"${pattern}" ${matches ? 'matches' : 'does not match'} "${name}"`, () => {
      expect(compilePattern(pattern).test(name)).toBe(matches);
    });
  }

  for (const pattern of ['[]a]', '[-]', '[x-]', '[-x]', '\\', '[a-b-c]', '[', '[^', '[^bc', 'a[', 'a[b']) {
    test(`"${pattern}" is a syntax error`, () => {
      expect(() => compilePattern(pattern)).toThrow('syntax error in pattern');
    });
  }

  // Trying every division of the text among the stars would not end in this life.
  test('many stars do not multiply the work', () => {
    expect(compilePattern(`${'*a'.repeat(200)}b`).test('a'.repeat(400))).toBe(false);
  });
});

describe('referenceMatcher', () => {
  const matches = (pattern: string, ref: string) => referenceMatcher([pattern])(parseReference(ref));

  test('compares with the familiar name with and without its tag', () => {
    expect(matches('busybox', 'busybox:latest')).toBe(true);
    expect(matches('busybox:l*', 'busybox:latest')).toBe(true);
    expect(matches('busy*', 'busybox:latest')).toBe(true);
    expect(matches('busy*:1', 'busybox:latest')).toBe(false);
  });

  test('compares with the full name, too', () => {
    expect(matches('docker.io/library/busybox', 'busybox:1')).toBe(true);
    expect(matches('docker.io/library/busybox:*', 'busybox:1')).toBe(true);
    expect(matches('docker.io/me/app', 'me/app:1')).toBe(true);
    expect(matches('docker.io/busybox', 'busybox:1')).toBe(false);
  });

  test('a star does not cross a slash', () => {
    expect(matches('*', 'me/app:1')).toBe(false);
    expect(matches('*/*', 'me/app:1')).toBe(true);
    expect(matches('localhost:5000/*', 'localhost:5000/app:1')).toBe(true);
  });

  test('any of several patterns is enough', () => {
    expect(referenceMatcher(['x', 'busybox'])(parseReference('busybox:1'))).toBe(true);
  });
});
