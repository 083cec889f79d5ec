import { describe, expect, test } from 'bun:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { streamOf } from '../testing/index.ts';
import { decompress } from './compression.ts';

const noise = Buffer.from(crypto.getRandomValues(new Uint8Array(60_000)));
const plain = Buffer.concat([noise, Buffer.alloc(1_000_000, 'gantry'), noise]);

async function unpack(bytes: Uint8Array): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of decompress(streamOf(bytes))) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('decompress', () => {
  test.each([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ] as const)('%s: whole, in several parts, and refused when cut anywhere', async (name, pack) => {
    const packed = Buffer.from(pack(plain));
    expect((await unpack(packed)).equals(plain)).toBe(true);
    expect((await unpack(Buffer.concat([packed, packed]))).equals(Buffer.concat([plain, plain]))).toBe(true);
    // Cut short enough, the decoder has given out nothing yet: without a check that would be an empty archive.
    for (const cut of [7, 17, 1000, Math.floor(packed.length / 2), packed.length - 1]) {
      await expect(unpack(packed.subarray(0, cut))).rejects.toThrow(`broken ${name} data`);
    }
  });
});
