import { allocate, check, type Memory, rawSyscall } from './ffi.ts';
import { pathFromBytes } from './path-bytes.ts';
import type { Fd } from './types.ts';

/** A name in a directory and what the file system says it is (`DT_UNKNOWN` is common). */
export interface DirectoryEntry {
  readonly name: string;
  readonly type: number;
}

export const DT_UNKNOWN = 0;
export const DT_DIR = 4;

const BUFFER_SIZE = 32 * 1024;
const NAME_OFFSET = 19;

let scratch: Memory | undefined;

/** All entries of an open directory (getdents64(2)) without `.` and `..`. Moves the descriptor's offset. */
export function readEntries(fd: Fd): DirectoryEntry[] {
  scratch ??= allocate(BUFFER_SIZE);
  const entries: DirectoryEntry[] = [];
  for (;;) {
    const length = check(rawSyscall('getdents64', fd, scratch.address, BUFFER_SIZE), 'getdents64', 'fd', fd);
    if (length === 0) return entries;
    decode(scratch, length, entries);
  }
}

function decode({ bytes, view }: Memory, length: number, entries: DirectoryEntry[]): void {
  for (let at = 0; at < length; at += view.getUint16(at + 16, true)) {
    const start = at + NAME_OFFSET;
    const name = pathFromBytes(bytes.subarray(start, bytes.indexOf(0, start)));
    if (name !== '.' && name !== '..') entries.push({ name, type: view.getUint8(at + 18) });
  }
}
