import { allocate, check, libc, type Memory } from './ffi.ts';
import { pathArgument } from './path-bytes.ts';
import type { Fd, FdOps, FileTimes } from './types.ts';

const SECOND_NS = 1_000_000_000n;
const FALLOC_KEEP_SIZE_AND_PUNCH_HOLE = 0x01 | 0x02;

let timespecs: { readonly memory: Memory; readonly words: BigInt64Array } | undefined;

/** Writes `times` as two timespecs (access, modification) into scratch memory and returns its bytes. */
export function timesArgument(times: FileTimes): Uint8Array<ArrayBuffer> {
  if (timespecs === undefined) {
    const memory = allocate(32);
    timespecs = { memory, words: new BigInt64Array(memory.bytes.buffer) };
  }
  putTimespec(timespecs.words, 0, times.atimeNs);
  putTimespec(timespecs.words, 2, times.mtimeNs);
  return timespecs.memory.bytes;
}

function putTimespec(words: BigInt64Array, at: number, timeNs: bigint): void {
  const rest = timeNs % SECOND_NS;
  // The kernel wants 0 <= nanoseconds, also before 1970.
  const nanoseconds = rest < 0n ? rest + SECOND_NS : rest;
  words[at] = (timeNs - nanoseconds) / SECOND_NS;
  words[at + 1] = nanoseconds;
}

/** Calls on open descriptors for hot paths. They allocate nothing on the way. */
export function createFdOps(): FdOps {
  const c = libc();
  return {
    fchown: (fd: Fd, uid: number, gid: number) => {
      check(c.fchown(fd, uid, gid), 'fchown', 'fd', fd);
    },
    fchmod: (fd: Fd, mode: number) => {
      check(c.fchmod(fd, mode), 'fchmod', 'fd', fd);
    },
    futimens: (fd: Fd, times: FileTimes) => {
      check(c.futimens(fd, timesArgument(times)), 'futimens', 'fd', fd);
    },
    fsetXattr: (fd: Fd, name: string, value: Uint8Array) => {
      const key = pathArgument(name, 'fsetxattr');
      check(c.fsetxattr(fd, key, orNull(value), value.length, 0), 'fsetxattr', 'name', name);
    },
    fallocatePunchHole: (fd: Fd, offset: bigint, length: bigint) => {
      check(c.fallocate(fd, FALLOC_KEEP_SIZE_AND_PUNCH_HOLE, offset, length), 'fallocate', 'fd', fd);
    },
    write: (fd: Fd, bytes: Uint8Array) => {
      writeAll(c, fd, bytes);
    },
    close: (fd: Fd) => {
      check(c.close(fd), 'close', 'fd', fd);
    },
  };
}

/** An empty array has no address; the kernel takes NULL with length 0. */
export function orNull(bytes: Uint8Array): Uint8Array<ArrayBuffer> | null {
  return bytes.length === 0 ? null : (bytes as Uint8Array<ArrayBuffer>);
}

function writeAll(c: ReturnType<typeof libc>, fd: Fd, bytes: Uint8Array): void {
  let rest = bytes;
  while (rest.length > 0) {
    const written = check(c.write(fd, orNull(rest), rest.length), 'write', 'fd', fd);
    if (written === rest.length) return;
    rest = rest.subarray(written);
  }
}
