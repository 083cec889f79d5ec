import { closeSync, constants, existsSync, openSync, rmSync, writeSync } from 'node:fs';
import { errnoCode } from '#base';
import {
  CLONE_FS,
  CLONE_NEWNET,
  CLONE_NEWNS,
  MNT_DETACH,
  MS_BIND,
  O_CLOEXEC,
  UMOUNT_NOFOLLOW,
} from './constants.ts';
import { ERRNO } from './errno.ts';
import { allocate, check, errno, libc } from './ffi.ts';
import { FilesystemContext, hasMountContexts } from './mount-context.ts';
import { cString, pathArgument } from './path-bytes.ts';
import type { Fd, Namespaces } from './types.ts';
import { createUserNamespace } from './user-namespace.ts';

const OWN_MOUNTS = '/proc/thread-self/ns/mnt';
const OWN_NETWORK = '/proc/thread-self/ns/net';
const AF_INET = 2;
const SOCK_DGRAM_CLOEXEC = 2 | O_CLOEXEC;
const SIOCSIFFLAGS = 0x8914;
const IFF_UP = 1;
const IFREQ_SIZE = 40;
const IFREQ_FLAGS_OFFSET = 16;
const STDERR = 2;
/** A thread may be made between the two calls it takes; so often is more than bad luck. */
const MAX_ATTEMPTS = 16;
/** How many mounts may be stacked on one path before we give up. */
const MAX_STACKED = 16;

/** Namespaces of the calling thread. */
export function createNamespaces(): Namespaces {
  return {
    createUser: createUserNamespace,
    createNetwork,
    removeNetwork,
    withNetwork: (path, action) =>
      returning(OWN_NETWORK, enterNetwork, () => {
        enterNetworkAt(path);
        return action();
      }),
    withSysctls,
    unshareMount,
    createMount: (prepare) =>
      returningToMounts(() => {
        unshareMount();
        prepare();
        return openSync(OWN_MOUNTS, constants.O_RDONLY | O_CLOEXEC);
      }),
    withMount: (namespace, action) =>
      returningToMounts(() => {
        enterMounts(namespace);
        return action();
      }),
  };
}

function unshareMount(): void {
  check(libc().unshare(CLONE_NEWNS), 'unshare', 'namespace', 'mount');
}

/** The working directory is kept. */
function returningToMounts<T>(action: () => T): T {
  const directory = openSync('.', constants.O_RDONLY | constants.O_DIRECTORY | O_CLOEXEC);
  try {
    return returning(OWN_MOUNTS, enterMounts, action);
  } finally {
    libc().fchdir(directory);
    closeSync(directory);
  }
}

/**
 * Only a thread whose root and working directory are its own can change its mounts. Every thread that this one makes (the
 * engine's compilers, at any moment) shares them with it again, so they are made its own right before each change.
 */
function enterMounts(namespace: Fd): void {
  for (let attempt = 1; ; attempt += 1) {
    check(libc().unshare(CLONE_FS), 'unshare', 'namespace', 'fs');
    const result = libc().setns(namespace, CLONE_NEWNS);
    if (result < 0 && errno() === ERRNO.EINVAL[0] && attempt < MAX_ATTEMPTS) continue;
    check(result, 'setns', 'namespace', 'mount');
    return;
  }
}

function enterNetwork(namespace: Fd): void {
  check(libc().setns(namespace, CLONE_NEWNET), 'setns', 'namespace', 'network');
}

function createNetwork(path: string, options: { readonly from?: string } = {}): void {
  const existed = existsSync(path);
  closeSync(openSync(path, constants.O_RDONLY | constants.O_CREAT | O_CLOEXEC, 0o600));
  try {
    returning(OWN_NETWORK, enterNetwork, () => {
      if (options.from === undefined) check(libc().unshare(CLONE_NEWNET), 'unshare', 'namespace', 'network');
      else enterNetworkAt(options.from);
      bringLoopbackUp();
      const source = cString(OWN_NETWORK, 'mount').bytes;
      check(libc().mount(source, pathArgument(path, 'mount'), null, MS_BIND, null), 'mount', 'target', path);
    });
  } catch (error) {
    if (!existed) rmSync(path, { force: true });
    throw error;
  }
}

function withSysctls<T>(action: (directory: string) => T): T {
  const procfs = openProcfs();
  if (procfs === undefined) return action('/proc/sys');
  try {
    return action(`/proc/self/fd/${procfs}/sys`);
  } finally {
    closeSync(procfs);
  }
}

/** Undefined where the kernel lacks the calls, and in a user namespace that may not mount it. */
function openProcfs(): Fd | undefined {
  if (!hasMountContexts()) return undefined;
  using procfs = new FilesystemContext('proc');
  try {
    return procfs.mount();
  } catch (error) {
    if (errnoCode(error) === 'EPERM') return undefined;
    throw error;
  }
}

function enterNetworkAt(path: string): void {
  const target = openSync(path, constants.O_RDONLY | O_CLOEXEC);
  try {
    check(libc().setns(target, CLONE_NEWNET), 'setns', 'path', path);
  } finally {
    closeSync(target);
  }
}

function removeNetwork(path: string): void {
  for (let count = 0; count < MAX_STACKED; count++) {
    const result = libc().umount2(pathArgument(path, 'umount2'), MNT_DETACH | UMOUNT_NOFOLLOW);
    // EINVAL: not a mount (any more).
    if (result < 0 && (errno() === ERRNO.EINVAL[0] || errno() === ERRNO.ENOENT[0])) break;
    check(result, 'umount2', 'target', path);
  }
  rmSync(path, { force: true });
}

/**
 * Runs `action`, which may change the thread's namespace `own`, and returns to the former one. A thread that cannot
 * return would do everything later in the wrong place, so the process ends then.
 */
function returning<T>(own: string, enter: (namespace: Fd) => void, action: () => T): T {
  const home: Fd = openSync(own, constants.O_RDONLY | O_CLOEXEC);
  try {
    return action();
  } finally {
    try {
      enter(home);
    } catch (error) {
      writeSync(STDERR, `cannot return from a namespace: ${String(error)}\n`);
      process.abort();
    }
    closeSync(home);
  }
}

function bringLoopbackUp(): void {
  const fd = check(libc().socket(AF_INET, SOCK_DGRAM_CLOEXEC, 0), 'socket');
  try {
    const request = allocate(IFREQ_SIZE);
    request.bytes.set(new TextEncoder().encode('lo'));
    request.view.setInt16(IFREQ_FLAGS_OFFSET, IFF_UP, true);
    check(libc().ioctl(fd, SIOCSIFFLAGS, request.bytes), 'ioctl', 'interface', 'lo');
  } finally {
    closeSync(fd);
  }
}
