import { closeSync, constants, openSync } from 'node:fs';
import { S_IFBLK, S_IFCHR, S_IFMT } from '../constants.ts';
import { SysError } from '../errors.ts';
import { createFdOps } from '../fd-ops.ts';
import { createFiles } from '../files.ts';
import type { DeviceNumber, Fd, FdOps, FileStat, Files, FileTimes, RootedDir } from '../types.ts';
import { InodeLedger } from './inode-ledger.ts';

/**
 * Files for tests without privileges: everything happens on real files, except that ownership, devices and
 * extended attributes are kept in memory and reported back. A device node is an empty file.
 */
export class FakeFiles implements Files {
  readonly #real = createFiles();
  readonly #ledger = new InodeLedger();

  /** The fake's counterpart of `createFdOps()`. */
  readonly fdOps: FdOps = fakeFdOps(this.#ledger);

  openRoot(path: string): RootedDir {
    return new FakeRootedDir(this.#real.openRoot(path), this.#ledger);
  }

  getXattr(path: string, name: string): Uint8Array | undefined {
    return this.#ledger.ofPath(path).xattrs.get(name);
  }

  setXattr(path: string, name: string, value: Uint8Array): void {
    this.#ledger.ofPath(path).xattrs.set(name, value.slice());
  }

  listXattrs(path: string): string[] {
    return [...this.#ledger.ofPath(path).xattrs.keys()];
  }

  removeXattr(path: string, name: string): void {
    this.#ledger.ofPath(path).xattrs.delete(name);
  }

  mknod(path: string, mode: number, device: DeviceNumber): void {
    if (!isDevice(mode)) {
      this.#real.mknod(path, mode, device);
      return;
    }
    closeSync(openSync(path, 'wx', mode & 0o777));
    Object.assign(this.#ledger.ofPath(path), { mode, rdev: device });
  }

  mkfifo(path: string, mode: number): void {
    this.#real.mkfifo(path, mode);
  }

  sealed(name: string, content: Uint8Array): Fd {
    return this.#real.sealed(name, content);
  }

  memory(name: string): Fd {
    return this.#real.memory(name);
  }

  mayWait(): boolean {
    return false;
  }

  statfs(path: string): ReturnType<Files['statfs']> {
    return this.#real.statfs(path);
  }

  syncfs(path: string): void {
    this.#real.statfs(path);
  }

  tryLock(fd: number): boolean {
    return this.#real.tryLock(fd);
  }

  exchange(a: string, b: string): void {
    this.#real.exchange(a, b);
  }
}

function isDevice(mode: number): boolean {
  const type = mode & S_IFMT;
  return type === S_IFCHR || type === S_IFBLK;
}

function fakeFdOps(ledger: InodeLedger): FdOps {
  // Bound at the first use: making a fake must not load anything.
  let real: FdOps | undefined;
  const ops = () => (real ??= createFdOps());
  return {
    fchown: (fd, uid, gid) => {
      Object.assign(ledger.ofFd(fd), { uid, gid });
    },
    fchmod: (fd, mode) => ops().fchmod(fd, mode),
    futimens: (fd, times) => ops().futimens(fd, times),
    fsetXattr: (fd, name, value) => {
      ledger.ofFd(fd).xattrs.set(name, value.slice());
    },
    fallocatePunchHole: (fd, offset, length) => ops().fallocatePunchHole(fd, offset, length),
    write: (fd, bytes) => ops().write(fd, bytes),
    close: (fd) => ops().close(fd),
  };
}

class FakeRootedDir implements RootedDir {
  readonly #real: RootedDir;
  readonly #ledger: InodeLedger;

  constructor(real: RootedDir, ledger: InodeLedger) {
    this.#real = real;
    this.#ledger = ledger;
  }

  open(path: string, flags: number, mode?: number): number {
    const isNew = (flags & constants.O_CREAT) !== 0 && this.#real.statFollow(path) === undefined;
    const fd = this.#real.open(path, flags, mode);
    if (isNew) this.#ledger.forget(this.#real.statFollow(path));
    return fd;
  }

  mkdir(path: string, mode: number): void {
    this.#real.mkdir(path, mode);
    this.#ledger.forget(this.#real.stat(path));
  }

  symlink(target: string, path: string): void {
    this.#real.symlink(target, path);
    this.#ledger.forget(this.#real.stat(path));
  }

  link(existing: string, path: string): void {
    this.#real.link(existing, path);
  }

  mknod(path: string, mode: number, device: DeviceNumber): void {
    if (!isDevice(mode)) {
      this.#real.mknod(path, mode, device);
      return;
    }
    closeSync(this.#real.open(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, mode & 0o777));
    this.#ledger.forget(this.#real.stat(path));
    Object.assign(this.#record(path), { mode, rdev: device });
  }

  unlink(path: string): void {
    this.#real.unlink(path);
  }

  rmdir(path: string): void {
    this.#real.rmdir(path);
  }

  remove(path: string): void {
    this.#real.remove(path);
  }

  rename(from: string, to: string): void {
    this.#real.rename(from, to);
  }

  stat(path: string): FileStat | undefined {
    const stat = this.#real.stat(path);
    return stat === undefined ? undefined : this.#ledger.applied(stat);
  }

  statFollow(path: string): FileStat | undefined {
    const stat = this.#real.statFollow(path);
    return stat === undefined ? undefined : this.#ledger.applied(stat);
  }

  readlink(path: string): string {
    return this.#real.readlink(path);
  }

  list(path: string): string[] {
    return this.#real.list(path);
  }

  lchown(path: string, uid: number, gid: number): void {
    Object.assign(this.#record(path), { uid, gid });
  }

  chmod(path: string, mode: number): void {
    const record = this.#record(path);
    if (record.mode === undefined) this.#real.chmod(path, mode);
    else record.mode = (record.mode & S_IFMT) | (mode & ~S_IFMT);
  }

  lutimes(path: string, times: FileTimes): void {
    this.#real.lutimes(path, times);
  }

  lsetXattr(path: string, name: string, value: Uint8Array): void {
    this.#record(path).xattrs.set(name, value.slice());
  }

  lgetXattr(path: string, name: string): Uint8Array | undefined {
    return this.#record(path).xattrs.get(name);
  }

  llistXattrs(path: string): string[] {
    return [...this.#record(path).xattrs.keys()];
  }

  resolve(path: string): string {
    return this.#real.resolve(path);
  }

  [Symbol.dispose](): void {
    this.#real[Symbol.dispose]();
  }

  #record(path: string) {
    const stat = this.#real.stat(path);
    if (stat === undefined) throw new SysError('ENOENT', 'statx', `path ${JSON.stringify(path)}`);
    return this.#ledger.of(stat);
  }
}
