import { describe, expect, test } from 'bun:test';
import { splitJsonValues } from './json-stream.ts';

async function* pieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe('splitJsonValues', () => {
  const values = [{ a: 'x}"{' }, [1, [2]], { b: { c: 'é\\' } }];

  test.each([1, 2, 3, 7, 1000])(
    'finds values in pieces of %d bytes, with and without separators',
    async (size) => {
      const text = `${JSON.stringify(values[0])}${JSON.stringify(values[1])}\r\n ${JSON.stringify(values[2])}\n`;
      expect(await Array.fromAsync(splitJsonValues(pieces(text, size)))).toEqual(values);
    },
  );
});
