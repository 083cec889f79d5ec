import { closeSync, constants, openSync } from 'node:fs';
import { AT_FDCWD, O_CLOEXEC, S_IFIFO } from './constants.ts';
import { makeDevice } from './device-number.ts';
import { ERRNO } from './errno.ts';
import { allocate, check, errno, libc, type Memory } from './ffi.ts';
import { mayWait } from './may-wait.ts';
import { pathArgument, secondPathArgument } from './path-bytes.ts';
import { openRoot } from './rooted-dir.ts';
import { createMemoryFile, sealedFile } from './sealed-file.ts';
import type { DeviceNumber, Files } from './types.ts';
import { getXattr, listXattrs, removeXattr, setXattr } from './xattr.ts';

const LOCK_EX_NB = 2 | 4;
const RENAME_EXCHANGE = 2;
const STATFS_SIZE = 120;

let statfsScratch: Memory | undefined;

/** The kernel's file operations on ordinary (trusted) paths, and {@link openRoot} for untrusted ones. */
export function createFiles(): Files {
  return {
    openRoot,
    getXattr,
    setXattr,
    listXattrs,
    removeXattr,
    mknod: makeNode,
    mkfifo: (path, mode) => makeNode(path, S_IFIFO | mode, { major: 0, minor: 0 }),
    statfs,
    mayWait,
    syncfs: (path) => {
      const fd = openSync(path, constants.O_RDONLY | O_CLOEXEC);
      try {
        check(libc().syncfs(fd), 'syncfs', 'path', path);
      } finally {
        closeSync(fd);
      }
    },
    tryLock: (fd) => {
      const result = libc().flock(fd, LOCK_EX_NB);
      if (result < 0 && errno() === ERRNO.EAGAIN[0]) return false;
      check(result, 'flock', 'fd', fd);
      return true;
    },
    sealed: sealedFile,
    memory: createMemoryFile,
    exchange: (a, b) => {
      const from = pathArgument(a, 'renameat2');
      const to = secondPathArgument(b, 'renameat2');
      check(libc().renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE), 'renameat2', 'path', a);
    },
  };
}

function makeNode(path: string, mode: number, device: DeviceNumber): void {
  const address = pathArgument(path, 'mknodat');
  check(libc().mknodat(AT_FDCWD, address, mode, makeDevice(device)), 'mknodat', 'path', path);
}

/** Field offsets of `struct statfs` on 64-bit architectures with asm-generic layout. */
function statfs(path: string): ReturnType<Files['statfs']> {
  statfsScratch ??= allocate(STATFS_SIZE);
  const { bytes, view } = statfsScratch;
  check(libc().statfs(pathArgument(path, 'statfs'), bytes), 'statfs', 'path', path);
  return {
    type: view.getBigUint64(0, true),
    blockSize: view.getBigUint64(8, true),
    blocks: view.getBigUint64(16, true),
    bavail: view.getBigUint64(32, true),
    files: view.getBigUint64(40, true),
    ffree: view.getBigUint64(48, true),
    flags: Number(view.getBigUint64(80, true)),
  };
}
