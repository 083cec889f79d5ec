import { expect, test } from 'bun:test';
import { errnoCode } from '#base';
import { PathBuffer, pathFromBytes, pathToBytes } from './path-bytes.ts';

const codeOf = (action: () => unknown) => {
  try {
    action();
  } catch (error) {
    return errnoCode(error);
  }
  return undefined;
};

test('pathFromBytes: every byte sequence survives the round trip', () => {
  const samples = [
    Uint8Array.of(0x66, 0x6f, 0x6f),
    new TextEncoder().encode('grüße/日本/😀'),
    Uint8Array.of(0x61, 0xff, 0x62),
    Uint8Array.of(0xe2, 0x82),
    Uint8Array.of(0xf0, 0x9f, 0x98, 0x80, 0x80, 0xc3),
    Uint8Array.from({ length: 255 }, (_, index) => index + 1),
  ];
  for (const bytes of samples) expect(pathToBytes(pathFromBytes(bytes))).toEqual(bytes);
});

test('pathFromBytes: valid UTF-8 is itself, with a byte order mark kept', () => {
  expect(pathFromBytes(new TextEncoder().encode('\ufeffa'))).toBe('\ufeffa');
});

test('PathBuffer.put: refuses NUL and what does not fit', () => {
  const buffer = new PathBuffer(8);
  expect(codeOf(() => buffer.put('a\0b', 'open'))).toBe('EINVAL');
  expect(codeOf(() => buffer.put('1234567', 'open'))).toBeUndefined();
  expect(codeOf(() => buffer.put('12345678', 'open'))).toBe('ENAMETOOLONG');
  expect(codeOf(() => buffer.put('1234567é', 'open'))).toBe('ENAMETOOLONG');
  expect(codeOf(() => buffer.put('1234567\udcff', 'open'))).toBe('ENAMETOOLONG');
});
