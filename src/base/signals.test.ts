import { expect, test } from 'bun:test';
import { createId, shortId } from './ids.ts';
import { parseSignal } from './signals.ts';

test.each([
  ['SIGTERM', 15],
  ['term', 15],
  ['9', 9],
  ['RTMIN+3', 37],
  ['SIGRTMAX-1', 63],
  ['rtmin', 34],
])('`parseSignal`: %s is %d', (text, number) => expect(parseSignal(text)).toBe(number));

test.each(['', '0', '65', 'SIGNOPE', 'RTMAX+1', '-9', 'TERM '])('`parseSignal`: refuses %p', (text) => {
  expect(() => parseSignal(text)).toThrow(`Invalid signal: ${text}`);
});

test('`createId`: 64 hex digits, all different; `shortId`: 12 of them, without the algorithm', () => {
  const ids = Array.from({ length: 100 }, createId);
  expect(new Set(ids).size).toBe(100);
  expect(ids.every((id) => /^[0-9a-f]{64}$/.test(id) && !/^\d{12}/.test(id))).toBe(true);
  expect(shortId(`sha256:${'ab'.repeat(32)}`)).toBe('abababababab');
});
