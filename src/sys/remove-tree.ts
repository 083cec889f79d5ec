import { constants } from 'node:fs';
import { AT_REMOVEDIR, O_CLOEXEC } from './constants.ts';
import { DT_DIR, DT_UNKNOWN, readEntries } from './directory-entries.ts';
import { ERRNO, type ErrnoName } from './errno.ts';
import { SysError } from './errors.ts';
import { check, errno, libc } from './ffi.ts';
import { pathArgument, secondPathArgument } from './path-bytes.ts';
import type { Fd } from './types.ts';

/** Deeper directories are moved up to the top first, so that depth costs neither descriptors nor stack. */
const MAX_DEPTH = 100;
const RENAME_NOREPLACE = 1;
/** How often a directory is emptied again when somebody else keeps filling it. */
const MAX_PASSES = 100_000;

/** Removes the entry `base` of `dirFd` and everything below, following nothing. No error when it is not there. */
export function removeTree(dirFd: Fd, base: string): void {
  const failed = unlink(dirFd, base, 0);
  if (failed === 0 || is(failed, 'ENOENT')) return;
  // Linux says EISDIR for a directory; POSIX and some file systems say EPERM.
  if (!is(failed, 'EISDIR') && !is(failed, 'EPERM')) throw removalError(failed, base);
  const fd = openEntry(dirFd, base);
  if (fd < 0) {
    if (is(errno(), 'ENOENT')) return;
    throw removalError(failed, base);
  }
  try {
    new TreeRemoval(fd).run();
  } finally {
    libc().close(fd);
  }
  const last = unlink(dirFd, base, AT_REMOVEDIR);
  if (last !== 0 && !is(last, 'ENOENT')) throw removalError(last, base);
}

class TreeRemoval {
  readonly #top: Fd;
  #moved = 0;

  constructor(top: Fd) {
    this.#top = top;
  }

  run(): void {
    for (let pass = 0; pass < MAX_PASSES; pass++) {
      // A new descriptor sees what was added or moved up since.
      const fd = check(openEntry(this.#top, '.'), 'openat', 'path', '.');
      try {
        if (this.#empty(fd, 0) === 0) return;
      } finally {
        libc().close(fd);
      }
    }
  }

  /** One pass. Returns how many entries there were. */
  #empty(fd: Fd, depth: number): number {
    const entries = readEntries(fd);
    for (const { name, type } of entries) {
      if (type !== DT_DIR) {
        const failed = unlink(fd, name, 0);
        if (failed === 0 || is(failed, 'ENOENT')) continue;
        if (type !== DT_UNKNOWN && !is(failed, 'EISDIR')) throw removalError(failed, name);
      }
      this.#removeDirectory(fd, name, depth);
    }
    return entries.length;
  }

  #removeDirectory(parent: Fd, name: string, depth: number): void {
    if (depth >= MAX_DEPTH) {
      this.#moveUp(parent, name);
      return;
    }
    const fd = openEntry(parent, name);
    if (fd < 0) {
      if (is(errno(), 'ENOENT')) return;
      throw removalError(errno(), name);
    }
    try {
      this.#empty(fd, depth + 1);
    } finally {
      libc().close(fd);
    }
    const failed = unlink(parent, name, AT_REMOVEDIR);
    // ENOTEMPTY: somebody else added something; the next pass takes it.
    if (failed !== 0 && !is(failed, 'ENOENT') && !is(failed, 'ENOTEMPTY')) throw removalError(failed, name);
  }

  #moveUp(parent: Fd, name: string): void {
    const from = pathArgument(name, 'renameat2');
    for (;;) {
      const to = secondPathArgument(`.removing-${process.pid}-${this.#moved++}`, 'renameat2');
      const result = libc().renameat2(parent, from, this.#top, to, RENAME_NOREPLACE);
      if (result < 0 && is(errno(), 'EEXIST')) continue;
      if (result >= 0 || !is(errno(), 'ENOENT')) check(result, 'renameat2', 'path', name);
      return;
    }
  }
}

/** 0 or the error number. */
function unlink(dirFd: Fd, name: string, flags: number): number {
  return libc().unlinkat(dirFd, pathArgument(name, 'unlinkat'), flags) < 0 ? errno() : 0;
}

function openEntry(dirFd: Fd, name: string): number {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW | O_CLOEXEC;
  return libc().openat(dirFd, pathArgument(name, 'openat'), flags, 0);
}

function is(code: number, name: ErrnoName): boolean {
  return code === ERRNO[name][0];
}

function removalError(code: number, name: string): SysError {
  return new SysError(code, 'unlinkat', `path ${JSON.stringify(name)}`);
}
