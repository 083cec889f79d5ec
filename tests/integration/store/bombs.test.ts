import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { encodeTarHeader, silentLogger, tarEnd } from '#base';
import { digestOf } from '#oci';
import { createOverlaySnapshotter, type Snapshotter } from '#store';
import { createMemoryMetadataStore, paxHeader, paxRecord } from '#store/testing';
import { createSys } from '#sys';

const MB = 1024 * 1024;
const ALLOWED_GROWTH = 96 * MB;

let dir = '';
let snapshotter: Snapshotter;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gantry-test-bomb-'));
  snapshotter = createOverlaySnapshotter({
    root: join(dir, 'overlay2'),
    metadata: createMemoryMetadataStore(),
    sys: createSys(),
    logger: silentLogger,
  });
});
afterEach(async () => {
  await snapshotter.settle();
  rmSync(dir, { recursive: true, force: true });
});

/** Applies a blob and returns by how much the process grew at its largest. */
async function growth(bytes: Uint8Array): Promise<number> {
  const blobPath = join(dir, 'blob');
  writeFileSync(blobPath, bytes);
  Bun.gc(true);
  const before = process.memoryUsage().rss;
  let highest = before;
  const timer = setInterval(() => {
    highest = Math.max(highest, process.memoryUsage().rss);
  }, 5);
  try {
    await snapshotter.applyLayer({ chainId: digestOf(bytes), parent: undefined, blobPath });
  } finally {
    clearInterval(timer);
  }
  return highest - before;
}

/** A member whose content goes nowhere: what is measured is the reader. */
function ignoredMember(size: number): Uint8Array {
  return encodeTarHeader({ path: '.wh..wh.aufs', size });
}

describe('bombs: memory stays bounded', () => {
  test('compressed zeros, a thousand to one', async () => {
    const size = 400 * MB;
    const plain = Buffer.alloc(512 + size + 1024);
    plain.set(ignoredMember(size));
    for (const bomb of [gzipSync(plain), zstdCompressSync(plain)]) {
      expect(bomb.length).toBeLessThan(size / 500);
      expect(await growth(bomb)).toBeLessThan(ALLOWED_GROWTH);
    }
  }, 60_000);

  test('two hundred thousand members, each with long names and attributes', async () => {
    const member = Buffer.concat([
      paxHeader(
        paxRecord('path', `${'x/'.repeat(150)}.wh.gone`) + paxRecord('SCHILY.xattr.user.a', 'v'.repeat(200)),
      ),
      encodeTarHeader({ path: 'f' }),
    ]);
    const bytes = Buffer.concat([...Array.from({ length: 200_000 }, () => member), tarEnd()]);
    expect(await growth(gzipSync(bytes, { level: 1 }))).toBeLessThan(ALLOWED_GROWTH);
  }, 60_000);

  test('a header that never ends is refused at once', async () => {
    const meta = encodeTarHeader({ path: 'x', size: 4 * 2 ** 30 });
    const header = Buffer.from(meta);
    header.write('L', 156, 'latin1');
    header.fill(0x20, 148, 156);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    const endless = gzipSync(Buffer.concat([header, Buffer.alloc(200 * MB)]), { level: 1 });
    await expect(growth(endless)).rejects.toMatchObject({ code: 'invalid_argument' });
  }, 60_000);
});
