import type { Pointer } from 'bun:ffi';
import { AT_EMPTY_PATH } from './constants.ts';
import { ERRNO } from './errno.ts';
import { allocate, check, errno, libc, type Memory } from './ffi.ts';
import { pathArgument } from './path-bytes.ts';
import type { Fd, FileStat } from './types.ts';

const STATX_BASIC_STATS = 0x7ff;
const STATX_MNT_ID = 0x1000;
const STATX_SIZE = 256;

let scratch: Memory | undefined;

/** statx(2) of `path` below `dirFd`. Undefined when nothing is there. `flags` are `AT_*`. */
export function statAt(dirFd: Fd, path: Pointer, flags: number, name: string): FileStat | undefined {
  scratch ??= allocate(STATX_SIZE);
  const result = libc().statx(dirFd, path, flags, STATX_BASIC_STATS, scratch.bytes);
  if (result < 0 && isAbsent(errno())) return undefined;
  check(result, 'statx', 'path', name);
  return decode(scratch.view);
}

/** statx(2) of an open descriptor, which may be O_PATH. */
export function statFd(fd: Fd): FileStat {
  const stat = statAt(fd, pathArgument('', 'statx'), AT_EMPTY_PATH, '');
  if (stat === undefined) throw new Error('an open descriptor has no file');
  return stat;
}

/** What holds a file. */
export interface Holder {
  /** `stx_mnt_id` (Linux 5.8). */
  readonly mountId: number;
  /** False for file systems without a block device. */
  readonly isOnDevice: boolean;
}

/** statx(2) of `path` below `dirFd` for its mount; symlinks are followed. `flags` are `AT_*`. */
export function holderAt(dirFd: Fd, path: Pointer, flags: number, name: string): Holder {
  scratch ??= allocate(STATX_SIZE);
  check(libc().statx(dirFd, path, flags, STATX_MNT_ID, scratch.bytes), 'statx', 'path', name);
  return {
    mountId: Number(scratch.view.getBigUint64(144, true)),
    isOnDevice: scratch.view.getUint32(136, true) !== 0,
  };
}

/** Nothing is there: the name or a directory on the way does not exist. */
export function isAbsent(code: number): boolean {
  return code === ERRNO.ENOENT[0] || code === ERRNO.ENOTDIR[0];
}

/** Field offsets of `struct statx` (linux/stat.h), the same on all architectures. */
function decode(view: DataView): FileStat {
  return {
    nlink: view.getUint32(16, true),
    uid: view.getUint32(20, true),
    gid: view.getUint32(24, true),
    mode: view.getUint16(28, true),
    ino: view.getBigUint64(32, true),
    size: view.getBigUint64(40, true),
    ctimeNs: timestamp(view, 96),
    mtimeNs: timestamp(view, 112),
    rdev: { major: view.getUint32(128, true), minor: view.getUint32(132, true) },
    dev: { major: view.getUint32(136, true), minor: view.getUint32(140, true) },
  };
}

function timestamp(view: DataView, at: number): bigint {
  return view.getBigInt64(at, true) * 1_000_000_000n + BigInt(view.getUint32(at + 8, true));
}
