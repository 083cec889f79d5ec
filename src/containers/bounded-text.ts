import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';

/** Longest file of a container that the daemon reads whole. */
export const MAX_TEXT_BYTES = 1024 * 1024;

const CHUNK_BYTES = 64 * 1024;

/**
 * The text of an open file that a container or image made, cut after {@link MAX_TEXT_BYTES}. Empty when it is no regular
 * file. Open it with `O_NONBLOCK`: nobody waits for what an attacker put there.
 */
export function readText(fd: number): string {
  if (!fstatSync(fd).isFile()) return '';
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  const parts: Buffer[] = [];
  for (let total = 0; total < MAX_TEXT_BYTES; ) {
    const length = readSync(fd, buffer, 0, Math.min(CHUNK_BYTES, MAX_TEXT_BYTES - total), null);
    if (length === 0) break;
    parts.push(Buffer.from(buffer.subarray(0, length)));
    total += length;
  }
  return Buffer.concat(parts).toString();
}

/**
 * Changes a file that a container can write, in place. False, and nothing is changed, when it is no regular file or
 * longer than {@link MAX_TEXT_BYTES}. Its last name is not followed. @throws as open(2).
 */
export function rewriteText(path: string, change: (text: string) => string): boolean {
  const { O_RDWR, O_NOFOLLOW, O_NONBLOCK } = constants;
  const fd = openSync(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size > MAX_TEXT_BYTES) return false;
    const before = readText(fd);
    const after = change(before);
    if (after !== before) overwrite(fd, after);
    return true;
  } finally {
    closeSync(fd);
  }
}

function overwrite(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, done);
  ftruncateSync(fd, bytes.length);
}
