import { describe, expect, test } from 'bun:test';
import { chainIds, type Digest, digestHex, digestOf, isDigest, parseDigest } from './digest.ts';

const EMPTY = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

test('digestOf: text and bytes', () => {
  expect(digestOf('')).toBe(EMPTY as Digest);
  expect(digestOf(new TextEncoder().encode('x'))).toBe(digestOf('x'));
});

describe('parseDigest', () => {
  test('takes a lower-case sha256', () => {
    expect(digestHex(parseDigest(EMPTY))).toBe(EMPTY.slice(7));
  });

  for (const bad of [
    '',
    'sha256:',
    EMPTY.slice(0, -1),
    `${EMPTY}0`,
    EMPTY.toUpperCase(),
    `${EMPTY}\n`,
    `md5:${'0'.repeat(32)}`,
    'sha256:../../etc/passwd',
  ]) {
    test(`${JSON.stringify(bad).slice(0, 40)} is refused`, () => {
      expect(isDigest(bad)).toBe(false);
      expect(() => parseDigest(bad)).toThrow('invalid checksum digest format');
    });
  }
});

test('chainIds: the base layer is its own diffID, each other one hashes what is below it', () => {
  const [a, b, c] = [digestOf('a'), digestOf('b'), digestOf('c')];
  const ab = digestOf(`${a} ${b}`);
  expect(chainIds([a, b, c])).toEqual([a, ab, digestOf(`${ab} ${c}`)]);
  expect(chainIds([])).toEqual([]);
});
