import type { Pointer } from 'bun:ffi';
import { RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS } from './constants.ts';
import { ERRNO } from './errno.ts';
import { allocate, check, errno, type Memory, rawSyscall } from './ffi.ts';
import type { Fd } from './types.ts';

/** The kernel answers EAGAIN when a rename or mount elsewhere raced with `..`; then it is worth another try. */
const MAX_ATTEMPTS = 128;
const OPEN_HOW_SIZE = 24;

let how: Memory | undefined;

/**
 * openat2(2) below `rootFd`, which is the root for `..` and absolute symlinks; magic links are refused.
 * `resolve` adds `RESOLVE_*` bits. Negative with errno set on failure.
 */
export function tryOpenInRoot(rootFd: Fd, path: Pointer, flags: number, mode = 0, resolve = 0): number {
  for (let attempt = 1; ; attempt++) {
    const fd = openAt(rootFd, path, flags, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve);
    if (fd >= 0 || errno() !== ERRNO.EAGAIN[0] || attempt === MAX_ATTEMPTS) return fd;
  }
}

/** openat2(2). Negative with errno set on failure. */
export function openAt(dirFd: Fd, path: Pointer, flags: number, mode: number, resolve: number): number {
  how ??= allocate(OPEN_HOW_SIZE);
  how.view.setUint32(0, flags, true);
  how.view.setUint32(8, mode, true);
  how.view.setUint32(16, resolve, true);
  return rawSyscall('openat2', dirFd, path, how.address, OPEN_HOW_SIZE);
}

/** {@link tryOpenInRoot} that throws. `name` is the path for the message. */
export function openInRoot(rootFd: Fd, path: Pointer, flags: number, name: string, mode = 0): Fd {
  return check(tryOpenInRoot(rootFd, path, flags, mode), 'openat2', 'path', name);
}
