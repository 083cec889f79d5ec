import { closeSync } from 'node:fs';
import { AT_EMPTY_PATH, AT_FDCWD, O_CLOEXEC, O_PATH } from './constants.ts';
import { ERRNO } from './errno.ts';
import { errno } from './ffi.ts';
import { readMountInfo } from './mountinfo.ts';
import { openAt } from './openat2.ts';
import { pathArgument } from './path-bytes.ts';
import { type Holder, holderAt } from './stat.ts';
import type { Fd } from './types.ts';

const RESOLVE_CACHED = 0x20;
const AT_STATX_DONT_SYNC = 0x4000;

/** File systems without a block device that ask nobody. */
const OWN = new Set(
  (
    'bcachefs bpf btrfs cgroup cgroup2 configfs debugfs devpts devtmpfs efivarfs erofs hugetlbfs mqueue nsfs overlay proc ' +
    'pstore ramfs rootfs securityfs sysfs tmpfs tracefs zfs'
  ).split(' '),
);

/** See `Files.mayWait`. */
export function mayWait(path: string): boolean {
  // No path at all.
  if (path.includes('\0')) return false;
  const fd = openAt(AT_FDCWD, pathArgument(path, 'openat2'), O_PATH | O_CLOEXEC, 0, RESOLVE_CACHED);
  // Any other error is an answer, or that of a kernel without the flag.
  if (fd < 0) return errno() === ERRNO.EAGAIN[0];
  try {
    return isServed(fd, path);
  } finally {
    closeSync(fd);
  }
}

/** A file that cannot even tell its mount is not on a disk of this machine. */
function isServed(fd: Fd, path: string): boolean {
  const holder = tryHolder(fd, path);
  if (holder?.isOnDevice) return false;
  const mount = readMountInfo().find(({ id }) => id === holder?.mountId);
  return mount === undefined || !OWN.has(mount.fstype);
}

function tryHolder(fd: Fd, path: string): Holder | undefined {
  try {
    return holderAt(fd, pathArgument('', 'statx'), AT_EMPTY_PATH | AT_STATX_DONT_SYNC, path);
  } catch {
    return undefined;
  }
}
