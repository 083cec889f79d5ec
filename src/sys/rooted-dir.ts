import { constants, readlinkSync } from 'node:fs';
import { AT_FDCWD, AT_REMOVEDIR, AT_SYMLINK_NOFOLLOW, O_CLOEXEC, O_PATH, O_TMPFILE } from './constants.ts';
import { makeDevice } from './device-number.ts';
import { readEntries } from './directory-entries.ts';
import { ERRNO } from './errno.ts';
import { SysError } from './errors.ts';
import { timesArgument } from './fd-ops.ts';
import { allocate, check, errno, libc, type Memory, rawSyscall } from './ffi.ts';
import { openInRoot, tryOpenInRoot } from './openat2.ts';
import { ParentCache } from './parent-cache.ts';
import { pathArgument, pathFromBytes, secondPathArgument } from './path-bytes.ts';
import { removeTree } from './remove-tree.ts';
import { isAbsent, statAt, statFd } from './stat.ts';
import type { DeviceNumber, Fd, FileStat, FileTimes, RootedDir } from './types.ts';
import { getXattr, listXattrs, setXattr } from './xattr.ts';

const LINK_CAPACITY = 4096;

let linkTarget: Memory | undefined;
let hasFchmodat2 = true;

/** Opens `path` (its symlinks are followed: it is the caller's, not a container's) as a {@link RootedDir}. */
export function openRoot(path: string): RootedDir {
  const flags = O_PATH | constants.O_DIRECTORY | O_CLOEXEC;
  const fd = libc().openat(AT_FDCWD, pathArgument(path, 'openat'), flags, 0);
  return new KernelRootedDir(check(fd, 'openat', 'path', path));
}

/** The last component of a path and the directory that holds it. `base` is `.` where the path names no entry. */
interface Location {
  readonly dir: string;
  readonly base: string;
}

/** Splits a path below a root. Exported for its tests. */
export function splitPath(path: string): Location {
  let end = path.length;
  while (end > 0 && path.charCodeAt(end - 1) === 0x2f) end--;
  let start = 0;
  while (start < end && path.charCodeAt(start) === 0x2f) start++;
  const slash = path.lastIndexOf('/', end - 1);
  const base = path.slice(Math.max(slash + 1, start), end);
  // `..` as a last component must be resolved by openat2, never handed to an *at call.
  if (base === '' || base === '.' || base === '..') return { dir: path.slice(start, end), base: '.' };
  return { dir: slash < start ? '' : path.slice(start, slash), base };
}

class KernelRootedDir implements RootedDir {
  readonly #parents: ParentCache;
  readonly #libc = libc();

  constructor(root: Fd) {
    this.#parents = new ParentCache(root);
  }

  open(path: string, flags: number, mode = 0): Fd {
    const exclusive = constants.O_CREAT | constants.O_EXCL;
    const entryOnly = (flags & constants.O_NOFOLLOW) !== 0 || (flags & exclusive) === exclusive;
    if (entryOnly && (flags & O_TMPFILE) !== O_TMPFILE) return this.#openEntry(path, flags, mode);
    const creates = (flags & constants.O_CREAT) !== 0 || (flags & O_TMPFILE) === O_TMPFILE;
    // openat2 refuses a mode where nothing can be created.
    const address = pathArgument(path === '' ? '.' : path, 'openat2');
    return openInRoot(this.#parents.root, address, flags | O_CLOEXEC, path, creates ? mode : 0);
  }

  mkdir(path: string, mode: number): void {
    const { dir, base } = splitPath(path);
    const fd = this.#parents.get(dir);
    check(this.#libc.mkdirat(fd, pathArgument(base, 'mkdirat'), mode), 'mkdirat', 'path', path);
  }

  symlink(target: string, path: string): void {
    const { dir, base } = splitPath(path);
    const fd = this.#parents.get(dir);
    const from = pathArgument(target, 'symlinkat');
    check(this.#libc.symlinkat(from, fd, secondPathArgument(base, 'symlinkat')), 'symlinkat', 'path', path);
  }

  link(existing: string, path: string): void {
    const from = splitPath(existing);
    const to = splitPath(path);
    const fromFd = this.#parents.get(from.dir);
    const toFd = this.#parents.get(to.dir);
    const source = pathArgument(from.base, 'linkat');
    const result = this.#libc.linkat(fromFd, source, toFd, secondPathArgument(to.base, 'linkat'), 0);
    check(result, 'linkat', 'path', path);
  }

  mknod(path: string, mode: number, device: DeviceNumber): void {
    const { dir, base } = splitPath(path);
    const fd = this.#parents.get(dir);
    const result = this.#libc.mknodat(fd, pathArgument(base, 'mknodat'), mode, makeDevice(device));
    check(result, 'mknodat', 'path', path);
  }

  unlink(path: string): void {
    this.#unlink(path, 0);
  }

  rmdir(path: string): void {
    this.#unlink(path, AT_REMOVEDIR);
  }

  remove(path: string): void {
    const { dir, base } = splitPath(path);
    if (base === '.')
      throw new SysError('EINVAL', 'unlinkat', `path ${JSON.stringify(path)} is not an entry`);
    const fd = this.#tryParent(dir);
    if (fd === undefined) return;
    try {
      removeTree(fd, base);
    } finally {
      this.#parents.forget(dir, base);
    }
  }

  rename(from: string, to: string): void {
    const source = splitPath(from);
    const target = splitPath(to);
    const fromFd = this.#parents.get(source.dir);
    const toFd = this.#parents.get(target.dir);
    const oldName = pathArgument(source.base, 'renameat2');
    const newName = secondPathArgument(target.base, 'renameat2');
    check(this.#libc.renameat2(fromFd, oldName, toFd, newName, 0), 'renameat2', 'path', from);
    this.#parents.forget(source.dir, source.base);
    this.#parents.forget(target.dir, target.base);
  }

  stat(path: string): FileStat | undefined {
    const { dir, base } = splitPath(path);
    const fd = this.#tryParent(dir);
    if (fd === undefined) return undefined;
    return statAt(fd, pathArgument(base, 'statx'), AT_SYMLINK_NOFOLLOW, path);
  }

  statFollow(path: string): FileStat | undefined {
    const address = pathArgument(path === '' ? '.' : path, 'openat2');
    const fd = tryOpenInRoot(this.#parents.root, address, O_PATH | O_CLOEXEC);
    if (fd < 0 && isAbsent(errno())) return undefined;
    check(fd, 'openat2', 'path', path);
    return this.#using(fd, statFd);
  }

  readlink(path: string): string {
    const { dir, base } = splitPath(path);
    linkTarget ??= allocate(LINK_CAPACITY);
    const fd = this.#parents.get(dir);
    const name = pathArgument(base, 'readlinkat');
    const length = this.#libc.readlinkat(fd, name, linkTarget.bytes, LINK_CAPACITY);
    return pathFromBytes(linkTarget.bytes.subarray(0, check(length, 'readlinkat', 'path', path)));
  }

  list(path: string): string[] {
    const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
    const entries = this.#using(this.#openEntry(path, flags, 0), readEntries);
    return entries.map((entry) => entry.name);
  }

  lchown(path: string, uid: number, gid: number): void {
    const { dir, base } = splitPath(path);
    const fd = this.#parents.get(dir);
    const result = this.#libc.fchownat(fd, pathArgument(base, 'fchownat'), uid, gid, AT_SYMLINK_NOFOLLOW);
    check(result, 'fchownat', 'path', path);
  }

  chmod(path: string, mode: number): void {
    const { dir, base } = splitPath(path);
    const fd = this.#parents.get(dir);
    check(chmodAt(fd, base, mode), 'fchmodat', 'path', path);
  }

  lutimes(path: string, times: FileTimes): void {
    const { dir, base } = splitPath(path);
    const fd = this.#parents.get(dir);
    const name = pathArgument(base, 'utimensat');
    const result = this.#libc.utimensat(fd, name, timesArgument(times), AT_SYMLINK_NOFOLLOW);
    check(result, 'utimensat', 'path', path);
  }

  lsetXattr(path: string, name: string, value: Uint8Array): void {
    setXattr(this.#procPath(path), name, value);
  }

  lgetXattr(path: string, name: string): Uint8Array | undefined {
    return getXattr(this.#procPath(path), name);
  }

  llistXattrs(path: string): string[] {
    return listXattrs(this.#procPath(path));
  }

  resolve(path: string): string {
    const address = pathArgument(path === '' ? '.' : path, 'openat2');
    const fd = openInRoot(this.#parents.root, address, O_PATH | O_CLOEXEC, path);
    const found = this.#using(fd, descriptorPath);
    const root = descriptorPath(this.#parents.root);
    if (root === '/') return found;
    if (found === root) return '/';
    if (!found.startsWith(`${root}/`)) {
      throw new SysError('EXDEV', 'readlink', `path ${JSON.stringify(path)} was moved out of the root`);
    }
    return found.slice(root.length);
  }

  [Symbol.dispose](): void {
    this.#parents[Symbol.dispose]();
  }

  #openEntry(path: string, flags: number, mode: number): Fd {
    const { dir, base } = splitPath(path);
    const fd = this.#parents.get(dir);
    const all = flags | constants.O_NOFOLLOW | O_CLOEXEC;
    return check(this.#libc.openat(fd, pathArgument(base, 'openat'), all, mode), 'openat', 'path', path);
  }

  #unlink(path: string, flags: number): void {
    const { dir, base } = splitPath(path);
    const fd = this.#parents.get(dir);
    check(this.#libc.unlinkat(fd, pathArgument(base, 'unlinkat'), flags), 'unlinkat', 'path', path);
    this.#parents.forget(dir, base);
  }

  #tryParent(dir: string): Fd | undefined {
    try {
      return this.#parents.get(dir);
    } catch (error) {
      if (error instanceof SysError && isAbsent(error.errno)) return undefined;
      throw error;
    }
  }

  /** For calls without an *at form: our own descriptor through /proc, and a last component that is not followed. */
  #procPath(path: string): string {
    const { dir, base } = splitPath(path);
    return `/proc/self/fd/${this.#parents.get(dir)}/${base}`;
  }

  #using<T>(fd: Fd, action: (fd: Fd) => T): T {
    try {
      return action(fd);
    } finally {
      this.#libc.close(fd);
    }
  }
}

function descriptorPath(fd: Fd): string {
  return pathFromBytes(readlinkSync(`/proc/self/fd/${fd}`, 'buffer'));
}

/** fchmodat2(2) since Linux 6.6; before that the C library goes through /proc. Neither follows a symlink. */
function chmodAt(fd: Fd, base: string, mode: number): number {
  const name = pathArgument(base, 'fchmodat');
  if (hasFchmodat2) {
    const result = rawSyscall('fchmodat2', fd, name, mode, AT_SYMLINK_NOFOLLOW);
    if (result >= 0 || errno() !== ERRNO.ENOSYS[0]) return result;
    hasFchmodat2 = false;
  }
  return libc().fchmodat(fd, name, mode, AT_SYMLINK_NOFOLLOW);
}
