import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { Semaphore } from '#base';
import { listSpool, spoolFileName } from './files.ts';

/** One at a time over all containers: compression is never urgent, and a thread of its own is all it gets. */
const turns = new Semaphore(1);

/**
 * Compresses the plain files of a spool but the current one. Each is there under one of its two names at any moment,
 * whole. The caller sees to it that no rotation happens meanwhile.
 */
export async function compressSpool(path: string, signal: AbortSignal): Promise<void> {
  for (const { number, isCompressed } of await listSpool(path)) {
    if (number === 0 || isCompressed) continue;
    await turns.run(() => compressFile(path, number, signal));
  }
}

async function compressFile(path: string, number: number, signal: AbortSignal): Promise<void> {
  const source = spoolFileName(path, number, false);
  const target = spoolFileName(path, number, true);
  const unfinished = `${target}.tmp`;
  try {
    signal.throwIfAborted();
    await pipeline(
      createReadStream(source),
      createGzip(),
      createWriteStream(unfinished, { mode: 0o600, flush: true }),
      { signal },
    );
    await rename(unfinished, target);
    await rm(source);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}
