import { type FileStat, type RootedDir, S_IFCHR, S_IFDIR, S_IFMT } from '#sys';

/**
 * How overlayfs writes deletions into a directory tree.
 * Source: kernel Documentation/filesystems/overlayfs.rst, "whiteouts and opaque directories".
 */
export const OPAQUE_XATTR = 'trusted.overlay.opaque';
const OPAQUE_VALUE = Buffer.from('y');

export const isDirectory = (stat: FileStat): boolean => (stat.mode & S_IFMT) === S_IFDIR;

/** A character device 0:0 says: whatever the layers below have here is gone. */
export const isWhiteout = (stat: FileStat): boolean =>
  (stat.mode & S_IFMT) === S_IFCHR && stat.rdev.major === 0 && stat.rdev.minor === 0;

export function makeWhiteout(root: RootedDir, path: string): void {
  root.mknod(path, S_IFCHR, { major: 0, minor: 0 });
}

/** Marks a directory as hiding what the layers below have in it. */
export function makeOpaque(root: RootedDir, path: string): void {
  root.lsetXattr(path, OPAQUE_XATTR, OPAQUE_VALUE);
}

export function isOpaque(root: RootedDir, path: string): boolean {
  const value = root.lgetXattr(path, OPAQUE_XATTR);
  return value !== undefined && OPAQUE_VALUE.equals(value);
}
