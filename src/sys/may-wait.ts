import { closeSync } from 'node:fs';
import { AT_EMPTY_PATH, AT_FDCWD, O_CLOEXEC, O_PATH } from './constants.ts';
import { ERRNO } from './errno.ts';
import { allocate, errno, libc, rawSyscall } from './ffi.ts';
import { readMountInfo } from './mountinfo.ts';
import { pathArgument } from './path-bytes.ts';

const RESOLVE_CACHED = 0x20;
const OPEN_HOW_SIZE = 24;
const AT_STATX_DONT_SYNC = 0x4000;
const STATX_MNT_ID = 0x1000;
const STATX_SIZE = 256;

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
  const how = allocate(OPEN_HOW_SIZE);
  how.view.setUint32(0, O_PATH | O_CLOEXEC, true);
  how.view.setUint32(16, RESOLVE_CACHED, true);
  const fd = rawSyscall('openat2', AT_FDCWD, pathArgument(path, 'openat2'), how.address, OPEN_HOW_SIZE);
  // Any other error is an answer, or that of a kernel without the flag.
  if (fd < 0) return errno() === ERRNO.EAGAIN[0];
  try {
    return isServed(fd);
  } finally {
    closeSync(fd);
  }
}

function isServed(fd: number): boolean {
  const stat = allocate(STATX_SIZE);
  const flags = AT_EMPTY_PATH | AT_STATX_DONT_SYNC;
  if (libc().statx(fd, pathArgument('', 'statx'), flags, STATX_MNT_ID, stat.bytes) < 0) return true;
  // A disk. The others have no major number.
  if (stat.view.getUint32(136, true) !== 0) return false;
  const mountId = Number(stat.view.getBigUint64(144, true));
  const mount = readMountInfo().find(({ id }) => id === mountId);
  return mount === undefined || !OWN.has(mount.fstype);
}
