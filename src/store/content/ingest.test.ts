import { expect, test } from 'bun:test';
import { existsSync, lstatSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openIngestFile } from './ingest.ts';

/** An ingest whose disk is full. */
async function openOnFullDisk() {
  const dir = mkdtempSync(join(tmpdir(), 'gantry-ingest-'));
  const path = join(dir, 'ingest');
  symlinkSync('/dev/full', path);
  let closed = 0;
  const onClose = () => {
    closed += 1;
  };
  const ingest = await openIngestFile({ ref: 'x', path, blobsDir: dir, onClose });
  return {
    ingest,
    isThere: () => lstatSync(path, { throwIfNoEntry: false }) !== undefined,
    closed: () => closed,
    [Symbol.dispose]: () => rmSync(dir, { recursive: true }),
  };
}

const BYTES = new Uint8Array(4 * 1024 * 1024);

test('abort removes the file after a write that failed', async () => {
  using full = await openOnFullDisk();
  await expect(full.ingest.write(BYTES)).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('ENOSPC'),
  });
  expect(full.isThere()).toBe(true);
  await full.ingest.abort();
  expect(full.isThere()).toBe(false);
  expect(full.closed()).toBe(1);
});

test('abort removes the file after a commit that failed', async () => {
  using full = await openOnFullDisk();
  await full.ingest.write(BYTES.subarray(0, 100));
  await expect(full.ingest.commit()).rejects.toThrow('ENOSPC');
  await full.ingest.abort();
  expect(full.isThere()).toBe(false);
  expect(existsSync('/dev/full')).toBe(true);
});

test('disposing after a write that failed keeps the file, and an abort after that leaves it to who resumes', async () => {
  using full = await openOnFullDisk();
  await expect(full.ingest.write(BYTES)).rejects.toThrow('ENOSPC');
  await full.ingest[Symbol.asyncDispose]();
  await full.ingest.abort();
  expect(full.isThere()).toBe(true);
  expect(full.closed()).toBe(1);
});
