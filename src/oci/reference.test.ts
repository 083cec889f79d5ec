import { describe, expect, test } from 'bun:test';
import {
  familiarName,
  familiarReference,
  formatReference,
  parseReference,
  tryParseReference,
  withDefaultTag,
} from './reference.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('parseReference', () => {
  const good: readonly (readonly [text: string, canonical: string, familiar: string])[] = [
    ['busybox', 'docker.io/library/busybox', 'busybox'],
    ['busybox:1.36', 'docker.io/library/busybox:1.36', 'busybox:1.36'],
    ['docker.io/busybox', 'docker.io/library/busybox', 'busybox'],
    ['index.docker.io/library/busybox', 'docker.io/library/busybox', 'busybox'],
    ['library/busybox', 'docker.io/library/busybox', 'busybox'],
    ['me/app', 'docker.io/me/app', 'me/app'],
    ['library/a/b', 'docker.io/library/a/b', 'library/a/b'],
    ['localhost/x', 'localhost/x', 'localhost/x'],
    ['localhost:5000/x:y', 'localhost:5000/x:y', 'localhost:5000/x:y'],
    ['127.0.0.1:5000/a/b/c', '127.0.0.1:5000/a/b/c', '127.0.0.1:5000/a/b/c'],
    ['[2001:db8::1]:5000/x', '[2001:db8::1]:5000/x', '[2001:db8::1]:5000/x'],
    ['[::1]/x', '[::1]/x', '[::1]/x'],
    ['quay.io/a/b:Tag_1.x-y', 'quay.io/a/b:Tag_1.x-y', 'quay.io/a/b:Tag_1.x-y'],
    ['HOST/x', 'HOST/x', 'HOST/x'],
    ['a__b/c--d', 'docker.io/a__b/c--d', 'a__b/c--d'],
    [`busybox@${DIGEST}`, `docker.io/library/busybox@${DIGEST}`, `busybox@${DIGEST}`],
    [`busybox:1@${DIGEST}`, `docker.io/library/busybox:1@${DIGEST}`, `busybox:1@${DIGEST}`],
    [`x:${'t'.repeat(128)}`, `docker.io/library/x:${'t'.repeat(128)}`, `x:${'t'.repeat(128)}`],
    [`me/${'p'.repeat(252)}`, `docker.io/me/${'p'.repeat(252)}`, `me/${'p'.repeat(252)}`],
    ['docker.io/localhost/x', 'docker.io/localhost/x', 'docker.io/localhost/x'],
    ['docker.io/my.app/x', 'docker.io/my.app/x', 'docker.io/my.app/x'],
  ];
  for (const [text, canonical, familiar] of good) {
    test(`"${text.slice(0, 60)}"`, () => {
      const reference = parseReference(text);
      expect(formatReference(reference)).toBe(canonical);
      expect(familiarReference(reference)).toBe(familiar);
      expect(parseReference(familiar)).toEqual(reference);
      expect(parseReference(canonical)).toEqual(reference);
    });
  }

  const bad: readonly (readonly [text: string, message: string])[] = [
    ['', 'invalid reference format'],
    [' ', 'invalid reference format'],
    ['a b', 'invalid reference format'],
    [':tag', 'invalid reference format'],
    ['a:', 'invalid reference format'],
    ['a:b:c', 'invalid reference format'],
    ['a//b', 'invalid reference format'],
    ['/a', 'invalid reference format'],
    ['a/', 'invalid reference format'],
    ['-a', 'invalid reference format'],
    ['a-', 'invalid reference format'],
    ['a..b', 'invalid reference format'],
    ['a___b', 'invalid reference format'],
    ['a/../b', 'invalid reference format'],
    ['../a', 'invalid reference format'],
    ['a\nb', 'invalid reference format'],
    ['a\n', 'invalid reference format'],
    ['a:b\n', 'invalid reference format'],
    [`a:${'t'.repeat(129)}`, 'invalid reference format'],
    ['a@sha256:abc', 'invalid reference format'],
    [`a@${DIGEST.toUpperCase()}`, 'invalid reference format'],
    ['a@b@c', 'invalid reference format'],
    ['host_name.x:1/a', 'invalid reference format'],
    ['[::g]/x', 'invalid reference format'],
    ['https://quay.io/x', 'invalid reference format'],
    ['Busybox', 'invalid reference format: repository name (library/Busybox) must be lowercase'],
    ['me/App:1', 'invalid reference format: repository name (me/App) must be lowercase'],
    [
      'a'.repeat(64),
      `invalid repository name (${'a'.repeat(64)}), cannot specify 64-byte hexadecimal strings`,
    ],
    [`me/${'p'.repeat(253)}`, 'repository name must not be more than 255 characters'],
  ];
  for (const [text, message] of bad) {
    test(`${JSON.stringify(text).slice(0, 60)} is refused`, () => {
      expect(() => parseReference(text)).toThrow(
        expect.objectContaining({ code: 'invalid_argument', message }),
      );
      expect(tryParseReference(text)).toBeUndefined();
    });
  }

  // An expression that backtracks would not end within the test runner's patience.
  test('long input is refused', () => {
    for (const text of [
      'a.'.repeat(50_000),
      `${'a-'.repeat(50_000)}.x/a`,
      '_'.repeat(100_000),
      'a'.repeat(100_000),
    ]) {
      expect(tryParseReference(text)).toBeUndefined();
    }
  });
});

test('withDefaultTag: only what names nothing yet gets a tag', () => {
  expect(familiarReference(withDefaultTag(parseReference('a')))).toBe('a:latest');
  expect(familiarReference(withDefaultTag(parseReference('a:1')))).toBe('a:1');
  expect(familiarReference(withDefaultTag(parseReference(`a@${DIGEST}`)))).toBe(`a@${DIGEST}`);
});

test('familiarName: no tag, no digest', () => {
  expect(familiarName(parseReference(`quay.io/a:1@${DIGEST}`))).toBe('quay.io/a');
});
