import { ERRNO } from './errno.ts';
import { orNull } from './fd-ops.ts';
import { allocate, check, errno, libc, type Memory } from './ffi.ts';
import { pathArgument, pathFromBytes, secondPathArgument } from './path-bytes.ts';

/** XATTR_SIZE_MAX and XATTR_LIST_MAX: the kernel stores and lists no more. */
const CAPACITY = 65_536;

let scratch: Memory | undefined;

/** lgetxattr(2). Undefined when it is not set or the file system has none. */
export function getXattr(path: string, name: string): Uint8Array | undefined {
  scratch ??= allocate(CAPACITY);
  const result = libc().lgetxattr(
    pathArgument(path, 'lgetxattr'),
    secondPathArgument(name, 'lgetxattr'),
    scratch.bytes,
    CAPACITY,
  );
  if (result < 0 && isMissing(errno())) return undefined;
  return scratch.bytes.slice(0, check(result, 'lgetxattr', 'path', path));
}

/** lsetxattr(2): creates or replaces. */
export function setXattr(path: string, name: string, value: Uint8Array): void {
  const target = pathArgument(path, 'lsetxattr');
  const key = secondPathArgument(name, 'lsetxattr');
  check(libc().lsetxattr(target, key, orNull(value), value.length, 0), 'lsetxattr', 'path', path);
}

/** llistxattr(2). Empty when the file system has none. */
export function listXattrs(path: string): string[] {
  scratch ??= allocate(CAPACITY);
  const result = libc().llistxattr(pathArgument(path, 'llistxattr'), scratch.bytes, CAPACITY);
  if (result < 0 && isMissing(errno())) return [];
  const length = check(result, 'llistxattr', 'path', path);
  return length === 0 ? [] : pathFromBytes(scratch.bytes.subarray(0, length - 1)).split('\0');
}

/** lremovexattr(2). No error when it is not set. */
export function removeXattr(path: string, name: string): void {
  const result = libc().lremovexattr(
    pathArgument(path, 'lremovexattr'),
    secondPathArgument(name, 'lremovexattr'),
  );
  if (result < 0 && isMissing(errno())) return;
  check(result, 'lremovexattr', 'path', path);
}

function isMissing(code: number): boolean {
  return code === ERRNO.ENODATA[0] || code === ERRNO.EOPNOTSUPP[0];
}
