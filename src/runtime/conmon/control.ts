import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { errnoCode } from '#base';
import type { TerminalSize } from '../types.ts';

const RESIZE = 1;
const REOPEN_LOG = 2;

/** Tells conmon the terminal's size. Nothing happens when the process is gone. */
export async function sendResize(fifo: string, size: TerminalSize): Promise<void> {
  await sendControl(fifo, RESIZE, size.rows, size.columns);
}

/** Tells conmon to close its log and open it anew. False when conmon is gone. */
export function sendReopenLog(fifo: string): Promise<boolean> {
  return sendControl(fifo, REOPEN_LOG, 0, 0);
}

async function sendControl(fifo: string, ...numbers: readonly number[]): Promise<boolean> {
  try {
    await using file = await open(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
    await file.write(`${numbers.join(' ')}\n`);
    return true;
  } catch (error) {
    // ENXIO: nobody reads. ENOENT: removed. EPIPE: the reader went in between.
    if (['ENXIO', 'ENOENT', 'EPIPE'].includes(errnoCode(error) ?? '')) return false;
    throw error;
  }
}
