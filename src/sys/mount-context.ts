/** The file descriptor based mount calls: fsopen(2), fsconfig(2), fsmount(2), open_tree(2), mount_setattr(2). */
import { closeSync } from 'node:fs';
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_RECURSIVE,
  MS_PRIVATE,
  MS_SHARED,
  MS_SLAVE,
  O_CLOEXEC,
} from './constants.ts';
import { ERRNO } from './errno.ts';
import { SysError } from './errors.ts';
import { allocate, check, errno, libc, type Memory, rawSyscall } from './ffi.ts';
import { pathArgument, secondPathArgument } from './path-bytes.ts';
import type { Fd } from './types.ts';

const FSOPEN_CLOEXEC = 1;
const FSMOUNT_CLOEXEC = 1;
const FSCONFIG_SET_FLAG = 0;
const FSCONFIG_SET_STRING = 1;
const FSCONFIG_SET_FD = 5;
const FSCONFIG_CMD_CREATE = 6;
const OPEN_TREE_CLONE = 1;
const MOVE_MOUNT_F_EMPTY_PATH = 4;
const MOUNT_ATTR_RDONLY = 1n;
const MOUNT_ATTR_IDMAP = 0x10_0000n;
const MOUNT_ATTR_SIZE = 32;
const LOG_LINE_SIZE = 1024;

/** The kernel copies at most 256 bytes of a string parameter, NUL included. */
export const MAX_PARAMETER_BYTES = 255;

/** A file system being configured. Dispose it to close its descriptor; the mount made of it stays. */
export class FilesystemContext implements Disposable {
  readonly #fd: Fd;
  readonly #type: string;

  constructor(type: string) {
    this.#type = type;
    const name = pathArgument(type, 'fsopen');
    this.#fd = check(rawSyscall('fsopen', name, FSOPEN_CLOEXEC), 'fsopen', 'type', type);
  }

  setString(key: string, value: string): void {
    const name = pathArgument(key, 'fsconfig');
    const text = secondPathArgument(value, 'fsconfig');
    this.#check(rawSyscall('fsconfig', this.#fd, FSCONFIG_SET_STRING, name, text), `${key}=${value}`);
  }

  /** A directory as an open descriptor, which may be a detached mount. */
  setFd(key: string, fd: Fd): void {
    const name = pathArgument(key, 'fsconfig');
    this.#check(rawSyscall('fsconfig', this.#fd, FSCONFIG_SET_FD, name, 0, fd), `${key}=(fd)`);
  }

  setFlag(key: string): void {
    const name = pathArgument(key, 'fsconfig');
    this.#check(rawSyscall('fsconfig', this.#fd, FSCONFIG_SET_FLAG, name), key);
  }

  /** Creates the superblock and returns a descriptor of the detached mount. */
  mount(): Fd {
    this.#check(rawSyscall('fsconfig', this.#fd, FSCONFIG_CMD_CREATE), 'create');
    const fd = rawSyscall('fsmount', this.#fd, FSMOUNT_CLOEXEC);
    this.#check(fd, 'mount');
    return fd;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  #check(result: number, what: string): void {
    if (result >= 0) return;
    const failed = errno();
    const log = this.#readLog();
    throw new SysError(failed, 'fsconfig', [`${this.#type} ${what}`, ...log].join(': '));
  }

  /** The kernel's own words about the failure, which it queues on the descriptor. */
  #readLog(): string[] {
    const memory = allocate(LOG_LINE_SIZE);
    const lines: string[] = [];
    for (let count = 0; count < 16; count++) {
      const length = Number(libc().read(this.#fd, memory.bytes, LOG_LINE_SIZE));
      if (length <= 0) break;
      lines.push(
        new TextDecoder()
          .decode(memory.bytes.subarray(0, length))
          .trim()
          .replace(/^[ewi] /, ''),
      );
    }
    return lines;
  }
}

/** Attaches the detached mount `fd` at `target`, whose last component is not followed. */
export function attachMount(fd: Fd, target: string): void {
  const from = pathArgument('', 'move_mount');
  const to = secondPathArgument(target, 'move_mount');
  const result = rawSyscall('move_mount', fd, from, AT_FDCWD, to, MOVE_MOUNT_F_EMPTY_PATH);
  check(result, 'move_mount', 'target', target);
}

/** A detached copy of the mount at `source` (a bind mount that is nowhere yet). */
export function cloneTree(source: string, options: { readonly recursive?: boolean } = {}): Fd {
  const flags = OPEN_TREE_CLONE | O_CLOEXEC | (options.recursive === true ? AT_RECURSIVE : 0);
  const result = rawSyscall('open_tree', AT_FDCWD, pathArgument(source, 'open_tree'), flags);
  return check(result, 'open_tree', 'source', source);
}

/** Makes a detached mount read-only, with all mounts below it if `recursive`; other attributes stay. */
export function makeReadonly(fd: Fd, options: { readonly recursive?: boolean } = {}): void {
  const attributes = allocate(MOUNT_ATTR_SIZE);
  attributes.view.setBigUint64(0, MOUNT_ATTR_RDONLY, true);
  setAttributes(fd, attributes, options);
}

/** Lets a detached mount follow the mount it is a copy of, with all mounts below it if `recursive`. */
export function makeSlave(fd: Fd, options: { readonly recursive?: boolean } = {}): void {
  const attributes = allocate(MOUNT_ATTR_SIZE);
  attributes.view.setBigUint64(16, BigInt(MS_SLAVE), true);
  setAttributes(fd, attributes, options);
}

/** Makes a detached mount the first of a peer group of its own; those below it stay what they are. */
export function makeShared(fd: Fd): void {
  for (const propagation of [MS_PRIVATE, MS_SHARED]) {
    const attributes = allocate(MOUNT_ATTR_SIZE);
    attributes.view.setBigUint64(16, BigInt(propagation), true);
    setAttributes(fd, attributes, {});
  }
}

/** Gives a detached mount the mapping of a user namespace: its IDs on disk appear as those outside of the namespace. */
export function mapIds(fd: Fd, userNamespace: Fd): void {
  const attributes = allocate(MOUNT_ATTR_SIZE);
  attributes.view.setBigUint64(0, MOUNT_ATTR_IDMAP, true);
  attributes.view.setBigUint64(24, BigInt(userNamespace), true);
  setAttributes(fd, attributes, {});
}

function setAttributes(fd: Fd, attributes: Memory, options: { readonly recursive?: boolean }): void {
  const flags = AT_EMPTY_PATH | (options.recursive === true ? AT_RECURSIVE : 0);
  const path = pathArgument('', 'mount_setattr');
  const size = attributes.bytes.length;
  check(rawSyscall('mount_setattr', fd, path, flags, attributes.address, size), 'mount_setattr', 'fd', fd);
}

/** Whether an open mount is read-only, by its own flag or its superblock's (`f_flags` of fstatfs(2)). */
export function isReadonly(fd: Fd): boolean {
  const statfs = allocate(120);
  check(libc().fstatfs(fd, statfs.bytes), 'fstatfs', 'fd', fd);
  return (statfs.view.getBigUint64(80, true) & 1n) === 1n;
}

/** True when the kernel has the calls of this file (5.2 and later; probing needs no privilege). */
export function hasMountContexts(): boolean {
  const fd = rawSyscall('fsopen', pathArgument('tmpfs', 'fsopen'), FSOPEN_CLOEXEC);
  if (fd >= 0) closeSync(fd);
  return fd >= 0 || errno() !== ERRNO.ENOSYS[0];
}
