import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { decompressFile, detectCompression } from './decompress.ts';
import { ZstdFrameScanner } from './zstd-frames.ts';

let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'gantry-unpack-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function unpack(bytes: Uint8Array): Promise<Buffer> {
  const path = join(dir, 'blob');
  writeFileSync(path, bytes);
  const chunks: Buffer[] = [];
  await decompressFile(path, (chunk) => void chunks.push(Buffer.from(chunk)));
  return Buffer.concat(chunks);
}

const noise = Buffer.from(crypto.getRandomValues(new Uint8Array(60_000)));
const plain = Buffer.concat([noise, Buffer.alloc(2_000_000, 'gantry'), noise]);
const skippable = Buffer.concat([Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 5, 0, 0, 0]), Buffer.from('hello')]);

describe('decompressFile', () => {
  test('plain, gzip and zstd, also in several parts', async () => {
    for (const pack of [(part: Buffer) => part, gzipSync, zstdCompressSync]) {
      expect((await unpack(pack(plain))).equals(plain)).toBe(true);
      const parts = Buffer.concat(
        [plain.subarray(0, 70_000), plain.subarray(70_000)].map((part) => Buffer.from(pack(part))),
      );
      expect((await unpack(parts)).equals(plain)).toBe(true);
    }
  });

  test('skippable zstd frames, before and behind', async () => {
    expect((await unpack(Buffer.concat([zstdCompressSync(plain), skippable]))).equals(plain)).toBe(true);
    expect((await unpack(Buffer.concat([skippable, zstdCompressSync(plain)]))).equals(plain)).toBe(true);
  });

  test('compressed data cut anywhere is refused', async () => {
    for (const packed of [gzipSync(plain), zstdCompressSync(plain)])
      for (const cut of [5, 17, 1000, Math.floor(packed.length / 2), packed.length - 1])
        await expect(unpack(packed.subarray(0, cut))).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  test('an error of the receiver passes through', async () => {
    const path = join(dir, 'blob');
    writeFileSync(path, gzipSync(plain));
    const fail = (): never => {
      throw new RangeError('full');
    };
    await expect(decompressFile(path, fail)).rejects.toThrow(RangeError);
  });

  test('a missing file says so', async () => {
    await expect(decompressFile(join(dir, 'nothing'), () => {})).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

test('`detectCompression`: by the first bytes only', () => {
  expect(detectCompression(new Uint8Array(0))).toBe('none');
  expect(detectCompression(Buffer.from([0x1f, 0x8b]))).toBe('gzip');
  expect(detectCompression(Buffer.from([0x28, 0xb5, 0x2f, 0xfd]))).toBe('zstd');
  expect(detectCompression(skippable)).toBe('zstd');
  expect(detectCompression(Buffer.from('etc/'))).toBe('none');
});

test('`ZstdFrameScanner`: at a boundary only where a frame ends, in any chunking', () => {
  const frame = zstdCompressSync(plain);
  const bytes = Buffer.concat([frame, skippable, frame]);
  const ends = new Set([0, frame.length, frame.length + skippable.length, bytes.length]);
  const scanner = new ZstdFrameScanner();
  for (let at = 0; at < bytes.length; at += 1) {
    expect(scanner.isAtBoundary).toBe(ends.has(at));
    scanner.push(bytes.subarray(at, at + 1));
  }
  expect(scanner.isAtBoundary).toBe(true);
  const whole = new ZstdFrameScanner();
  for (let at = 0; at < bytes.length; at += 777) whole.push(bytes.subarray(at, at + 777));
  expect(whole.isAtBoundary).toBe(true);
});
