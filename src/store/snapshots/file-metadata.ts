import { errnoCode } from '#base';
import { type FileStat, type RootedDir, S_IFLNK, S_IFMT } from '#sys';

/** Kernel answers that say: not this attribute, or not on this kind of file. */
const NOT_SUPPORTED = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP']);

const PORTABLE_XATTR = /^user\.(?!overlay\.)|^security\.capability$|^system\.posix_acl_(?:access|default)$/;

/**
 * Extended attributes that belong to the content of an image. Others (`trusted.overlay.*` above all, SELinux labels)
 * mean something to this host and never travel.
 */
export const isPortableXattr = (name: string): boolean => PORTABLE_XATTR.test(name);

/** Runs `set`, which sets an attribute; a file system or file type that cannot hold it is not an error. */
export function settingXattr(set: () => void): void {
  try {
    set();
  } catch (error) {
    if (!NOT_SUPPORTED.has(errnoCode(error) ?? '')) throw error;
  }
}

/** The portable extended attributes of a file. */
export function portableXattrs(root: RootedDir, path: string): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  for (const name of root.llistXattrs(path).filter(isPortableXattr)) {
    const value = root.lgetXattr(path, name);
    if (value) found.set(name, value);
  }
  return found;
}

/** Gives `path` the owner, mode and attributes of a file elsewhere; the times are left to the caller. */
export function copyMetadata(
  from: { readonly root: RootedDir; readonly path: string; readonly stat: FileStat },
  to: { readonly root: RootedDir; readonly path: string },
): void {
  const { stat } = from;
  to.root.lchown(to.path, stat.uid, stat.gid);
  // After chown, which clears setuid; a symlink has no mode of its own.
  if ((stat.mode & S_IFMT) !== S_IFLNK) to.root.chmod(to.path, stat.mode & 0o7777);
  for (const [name, value] of portableXattrs(from.root, from.path))
    settingXattr(() => to.root.lsetXattr(to.path, name, value));
}
