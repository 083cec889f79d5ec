import { readFileSync, readlinkSync } from 'node:fs';
import { libc } from './ffi.ts';

const MADV_DONTNEED = 4;
const HEAD = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ +(\S.*)$/;

/** A stretch of memory. Addresses fit into 2^53 on every 64-bit Linux. */
export interface PageRange {
  readonly address: number;
  readonly sizeBytes: number;
}

/**
 * The parts of a process's `smaps` (proc(5)) that show `program` as it is on disk: private, never writable, no page
 * of their own. Libraries are left out, for the loader may be about to write into one.
 */
export function unchangedParts(smaps: string, program: string): PageRange[] {
  const parts: PageRange[] = [];
  let candidate: PageRange | undefined;
  for (const line of smaps.split('\n')) {
    const [, from, to, flags, path] = HEAD.exec(line) ?? [];
    if (from !== undefined && to !== undefined) {
      const address = Number.parseInt(from, 16);
      const sizeBytes = Number.parseInt(to, 16) - address;
      candidate = path === program && /^r-.p$/.test(flags ?? '') ? { address, sizeBytes } : undefined;
    } else if (candidate && /^Anonymous:\s+0 kB$/.test(line)) {
      parts.push(candidate);
      candidate = undefined;
    }
  }
  return parts;
}

/** See `Processes.releaseProgramPages`. */
export function releaseProgramPages(): void {
  const parts = unchangedParts(readFileSync('/proc/self/smaps', 'utf8'), readlinkSync('/proc/self/exe'));
  // Advice: what the kernel does not want to do it does not.
  for (const { address, sizeBytes } of parts) libc().madvise(address, sizeBytes, MADV_DONTNEED);
}
