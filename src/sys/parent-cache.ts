import { constants } from 'node:fs';
import { O_CLOEXEC, O_PATH, RESOLVE_NO_SYMLINKS } from './constants.ts';
import { ERRNO } from './errno.ts';
import { check, errno, libc } from './ffi.ts';
import { tryOpenInRoot } from './openat2.ts';
import { pathArgument } from './path-bytes.ts';
import type { Fd } from './types.ts';

/** Open descriptors per root. Small, because a daemon may have many roots open at once. */
const CAPACITY = 128;

interface Entry {
  readonly fd: Fd;
  /**
   * The key's text says where the directory is: no symlink, `.` or `..` on the way. Only then can a removed
   * path be compared with the key; the others are dropped at every removal.
   */
  readonly plain: boolean;
}

/** Matches an empty, `.` or `..` component. */
const INDIRECT = /(?:^|\/)\.{0,2}(?:\/|$)/;

/**
 * Descriptors of directories below one root, by their path, least recently used first. The owner must report
 * what it removes or renames; then no key ever names another directory than a fresh lookup would give, as
 * far as the owner's own actions go.
 */
export class ParentCache implements Disposable {
  #root: Fd;
  readonly #entries = new Map<string, Entry>();
  #lastKey = '';
  #lastFd: Fd;

  /** Takes ownership of `root`. */
  constructor(root: Fd) {
    this.#root = root;
    this.#lastFd = root;
  }

  /** The root's own descriptor. */
  get root(): Fd {
    return this.#root;
  }

  /** The descriptor (O_PATH) of directory `dir`, valid until the cache has served 127 others or a removal. */
  get(dir: string): Fd {
    if (dir === this.#lastKey) return this.#lastFd;
    const fd = dir === '' ? this.#root : this.#lookup(dir);
    this.#lastKey = dir;
    this.#lastFd = fd;
    return fd;
  }

  /** To be called after the entry `base` of `dir` was removed or replaced. */
  forget(dir: string, base: string): void {
    if (this.#entries.size === 0) return;
    if (dir !== '' && this.#entries.get(dir)?.plain !== true) {
      this.clear();
      return;
    }
    const path = dir === '' ? base : `${dir}/${base}`;
    const below = `${path}/`;
    for (const [key, { plain }] of this.#entries) {
      if (!plain || key === path || key.startsWith(below)) this.#drop(key);
    }
  }

  /** Forgets every directory but the root. */
  clear(): void {
    for (const key of this.#entries.keys()) this.#drop(key);
  }

  [Symbol.dispose](): void {
    this.clear();
    if (this.#root < 0) return;
    libc().close(this.#root);
    // A later call must fail with EBADF instead of reaching whatever got the number next.
    this.#root = -1;
    this.#lastFd = -1;
  }

  #lookup(dir: string): Fd {
    const known = this.#entries.get(dir);
    if (known !== undefined) {
      this.#entries.delete(dir);
      this.#entries.set(dir, known);
      return known.fd;
    }
    if (this.#entries.size >= CAPACITY) this.#drop(this.#entries.keys().next().value ?? '');
    const entry = openDirectory(this.#root, dir);
    this.#entries.set(dir, entry);
    return entry.fd;
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    libc().close(entry.fd);
    if (key === this.#lastKey) {
      this.#lastKey = '';
      this.#lastFd = this.#root;
    }
  }
}

function openDirectory(root: Fd, dir: string): Entry {
  const flags = O_PATH | constants.O_DIRECTORY | O_CLOEXEC;
  const path = pathArgument(dir, 'openat2');
  if (!INDIRECT.test(dir)) {
    const fd = tryOpenInRoot(root, path, flags, 0, RESOLVE_NO_SYMLINKS);
    if (fd >= 0) return { fd, plain: true };
    if (errno() !== ERRNO.ELOOP[0]) check(fd, 'openat2', 'path', dir);
  }
  return { fd: check(tryOpenInRoot(root, path, flags), 'openat2', 'path', dir), plain: false };
}
