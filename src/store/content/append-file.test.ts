import { expect, test } from 'bun:test';
import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppendFile } from './append-file.ts';

// The kernel tells of a failed write-back once for each descriptor: whoever asks next is told that all is well.
test('an error of a sync in between is the error of the last one', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'gantry-append-'));
  const syncData = async () => {
    throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' });
  };
  try {
    const file = new AppendFile(openSync(join(dir, 'file'), 'a'), 0, { syncData });
    await file.write(new Uint8Array(40 * 1024 * 1024));
    await expect(file.sync()).rejects.toMatchObject({ code: 'EIO' });
    await file.close();
  } finally {
    rmSync(dir, { recursive: true });
  }
});
