/**
 * The foreign function core: the only file that binds the C library. Nothing is loaded before the first call.
 *
 * Everything is synchronous and per thread: each Worker has its own module instance, and so its own
 * bindings, errno address and scratch memory. Scratch memory is reused by the next call, so no function
 * may keep it across calls. 64-bit values are numbers up to 2^53 and `bigint` beyond (`i64_fast`).
 */
import { dlopen, FFIType, type Pointer, ptr, read } from 'bun:ffi';
import { SysError } from './errors.ts';

const SYMBOLS = {
  __errno_location: { args: [], returns: 'ptr' },
  // Raw calls: pointers are passed as numbers, see Memory.address.
  syscall: {
    args: [
      FFIType.i64_fast,
      FFIType.i64_fast,
      FFIType.i64_fast,
      FFIType.i64_fast,
      FFIType.i64_fast,
      FFIType.i64_fast,
    ],
    returns: FFIType.i64_fast,
  },
  openat: { args: ['i32', 'ptr', 'i32', 'u32'], returns: 'i32' },
  close: { args: ['i32'], returns: 'i32' },
  read: { args: ['i32', 'ptr', FFIType.i64_fast], returns: FFIType.i64_fast },
  write: { args: ['i32', 'ptr', FFIType.i64_fast], returns: FFIType.i64_fast },
  mkdirat: { args: ['i32', 'ptr', 'u32'], returns: 'i32' },
  symlinkat: { args: ['ptr', 'i32', 'ptr'], returns: 'i32' },
  linkat: { args: ['i32', 'ptr', 'i32', 'ptr', 'i32'], returns: 'i32' },
  mknodat: { args: ['i32', 'ptr', 'u32', FFIType.i64_fast], returns: 'i32' },
  unlinkat: { args: ['i32', 'ptr', 'i32'], returns: 'i32' },
  renameat2: { args: ['i32', 'ptr', 'i32', 'ptr', 'u32'], returns: 'i32' },
  fchownat: { args: ['i32', 'ptr', 'u32', 'u32', 'i32'], returns: 'i32' },
  fchmodat: { args: ['i32', 'ptr', 'u32', 'i32'], returns: 'i32' },
  utimensat: { args: ['i32', 'ptr', 'ptr', 'i32'], returns: 'i32' },
  readlinkat: { args: ['i32', 'ptr', 'ptr', FFIType.i64_fast], returns: FFIType.i64_fast },
  statx: { args: ['i32', 'ptr', 'i32', 'u32', 'ptr'], returns: 'i32' },
  fchown: { args: ['i32', 'u32', 'u32'], returns: 'i32' },
  fchmod: { args: ['i32', 'u32'], returns: 'i32' },
  futimens: { args: ['i32', 'ptr'], returns: 'i32' },
  fallocate: { args: ['i32', 'i32', FFIType.i64_fast, FFIType.i64_fast], returns: 'i32' },
  fsetxattr: { args: ['i32', 'ptr', 'ptr', FFIType.i64_fast, 'i32'], returns: 'i32' },
  lsetxattr: { args: ['ptr', 'ptr', 'ptr', FFIType.i64_fast, 'i32'], returns: 'i32' },
  lgetxattr: { args: ['ptr', 'ptr', 'ptr', FFIType.i64_fast], returns: FFIType.i64_fast },
  llistxattr: { args: ['ptr', 'ptr', FFIType.i64_fast], returns: FFIType.i64_fast },
  lremovexattr: { args: ['ptr', 'ptr'], returns: 'i32' },
  statfs: { args: ['ptr', 'ptr'], returns: 'i32' },
  fstatfs: { args: ['i32', 'ptr'], returns: 'i32' },
  syncfs: { args: ['i32'], returns: 'i32' },
  flock: { args: ['i32', 'i32'], returns: 'i32' },
  mount: { args: ['ptr', 'ptr', 'ptr', FFIType.i64_fast, 'ptr'], returns: 'i32' },
  umount2: { args: ['ptr', 'i32'], returns: 'i32' },
  fchdir: { args: ['i32'], returns: 'i32' },
  unshare: { args: ['i32'], returns: 'i32' },
  setns: { args: ['i32', 'i32'], returns: 'i32' },
  kill: { args: ['i32', 'i32'], returns: 'i32' },
  poll: { args: ['ptr', FFIType.i64_fast, 'i32'], returns: 'i32' },
  prlimit: { args: ['i32', 'i32', 'ptr', 'ptr'], returns: 'i32' },
  prctl: {
    args: ['i32', FFIType.i64_fast, FFIType.i64_fast, FFIType.i64_fast, FFIType.i64_fast],
    returns: 'i32',
  },
  madvise: { args: [FFIType.i64_fast, FFIType.i64_fast, 'i32'], returns: 'i32' },
  umask: { args: ['u32'], returns: 'u32' },
  ioctl: { args: ['i32', FFIType.i64_fast, 'ptr'], returns: 'i32' },
  socket: { args: ['i32', 'i32', 'i32'], returns: 'i32' },
  socketpair: { args: ['i32', 'i32', 'i32', 'ptr'], returns: 'i32' },
  connect: { args: ['i32', 'ptr', 'u32'], returns: 'i32' },
  bind: { args: ['i32', 'ptr', 'u32'], returns: 'i32' },
  shutdown: { args: ['i32', 'i32'], returns: 'i32' },
  setsockopt: { args: ['i32', 'i32', 'i32', 'ptr', 'u32'], returns: 'i32' },
  send: { args: ['i32', 'ptr', FFIType.i64_fast, 'i32'], returns: FFIType.i64_fast },
  recv: { args: ['i32', 'ptr', FFIType.i64_fast, 'i32'], returns: FFIType.i64_fast },
} as const;

const load = () => dlopen('libc.so.6', SYMBOLS).symbols;

/** The C library's functions. */
export type Libc = ReturnType<typeof load>;

let loaded: Libc | undefined;
let errnoAddress: Pointer | undefined;

/** The C library, bound at the first call. */
export function libc(): Libc {
  if (loaded !== undefined) return loaded;
  const symbols = load();
  const address = symbols.__errno_location();
  if (typeof address !== 'number') throw new Error('the C library gave no errno location');
  errnoAddress = address;
  loaded = symbols;
  return symbols;
}

/** errno of the calling thread. Valid only right after a failed call. */
export function errno(): number {
  return errnoAddress === undefined ? 0 : read.i32(errnoAddress, 0);
}

/**
 * Throws a {@link SysError} when `result` is negative, else returns it as a number. `label` and `value` name
 * the subject in the message; they are joined only on failure, so the good path allocates nothing.
 */
export function check(
  result: number | bigint,
  syscall: string,
  label?: string,
  value?: string | number,
): number {
  if (result >= 0) return Number(result);
  const failed = errno();
  throw new SysError(failed, syscall, label === undefined ? undefined : `${label} ${JSON.stringify(value)}`);
}

/**
 * Native memory that lives as long as this object. The address is stable: the bytes are backed by an explicit
 * ArrayBuffer, because the engine may move the storage of small typed arrays made without one.
 */
export interface Memory {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;
  readonly address: Pointer;
}

/** Allocates zeroed {@link Memory} of `size` bytes. */
export function allocate(size: number): Memory {
  const buffer = new ArrayBuffer(size);
  const bytes = new Uint8Array(buffer);
  return { bytes, view: new DataView(buffer), address: ptr(bytes) };
}

/** System call numbers that the C library may not wrap. From 424 on they are the same everywhere. */
const SYSCALL_NUMBERS = {
  x64: { fcntl: 72, getdents64: 217, memfd_create: 319 },
  arm64: { fcntl: 25, getdents64: 61, memfd_create: 279 },
} as const satisfies Record<string, Record<OldSyscallName, number>>;

type OldSyscallName = 'fcntl' | 'getdents64' | 'memfd_create';

const COMMON_SYSCALL_NUMBERS = {
  pidfd_send_signal: 424,
  open_tree: 428,
  move_mount: 429,
  fsopen: 430,
  fsconfig: 431,
  fsmount: 432,
  pidfd_open: 434,
  openat2: 437,
  mount_setattr: 442,
  fchmodat2: 452,
} as const;

/** Names accepted by {@link rawSyscall}. */
export type SyscallName = keyof typeof COMMON_SYSCALL_NUMBERS | OldSyscallName;

/** The number of `name` on `arch` (as in `process.arch`). Throws ENOSYS where we have no table. */
export function syscallNumber(name: SyscallName, arch: string = process.arch): number {
  if (arch !== 'x64' && arch !== 'arm64') throw new SysError('ENOSYS', name, `architecture "${arch}"`);
  return isOld(name) ? SYSCALL_NUMBERS[arch][name] : COMMON_SYSCALL_NUMBERS[name];
}

const isOld = (name: SyscallName): name is OldSyscallName => name in SYSCALL_NUMBERS.x64;

/** A raw system call. Negative results mean failure with {@link errno}; pointers are {@link Memory.address}. */
export function rawSyscall(
  name: SyscallName,
  a: number | bigint,
  b: number | bigint = 0,
  c: number | bigint = 0,
  d: number | bigint = 0,
  e: number | bigint = 0,
): number {
  return Number(libc().syscall(syscallNumber(name), a, b, c, d, e));
}
