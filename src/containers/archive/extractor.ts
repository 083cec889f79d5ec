import { constants, ftruncateSync, writeSync } from 'node:fs';
import { errnoCode, type TarHeader, type TarSink } from '#base';
import { type Fd, type FdOps, type FileStat, type FileTimes, S_IFBLK, S_IFCHR, S_IFIFO } from '#sys';
import {
  directoryInTheWay,
  fileInTheWay,
  hardLinkToNothing,
  mountInTheWay,
  volumeReadOnly,
} from './errors.ts';
import { below, memberPath } from './names.ts';
import { type Owner, type OwnerMappings, toHost } from './ownership.ts';
import { isDirectory } from './path-stat.ts';
import { type ContainerTree, holdsMounts, lstat, type Place } from './tree.ts';

export interface ExtractorOptions {
  readonly tree: ContainerTree;
  /** Absolute path in the container, without links. */
  readonly directory: string;
  readonly fdOps: FdOps;
  readonly owners: OwnerMappings;
  /** Everything gets this owner instead of the archive's. IDs as the container sees them. */
  readonly owner?: Owner;
  /** Refuse to replace a directory by something else, or the reverse. */
  readonly noOverwriteDirNonDir: boolean;
}

const CREATE_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const IMPLIED_MODE = 0o755;

/** Attributes that mean the same on every host. `trusted.overlay.*` above all does not: it would change other layers' view. */
const PORTABLE_XATTR = /^user\.(?!overlay\.)|^security\.capability$|^system\.posix_acl_(?:access|default)$/;
const XATTR_UNSUPPORTED = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP']);

/**
 * Writes the members of an archive into a directory of a container, replacing what is there; a directory on a directory
 * merges. Members are resolved as a process in the container would (links on the way are followed), nothing is ever
 * opened that was not made here. Dispose it when the archive breaks off, to close the file in hand.
 * Source: moby/go-archive, Unpack.
 */
export class Extractor implements TarSink, Disposable {
  /** The member being worked on, for messages. */
  currentName = '';
  readonly #options: ExtractorOptions;
  readonly #tree: ContainerTree;
  readonly #fdOps: FdOps;
  /** Set last, because making entries changes them. */
  readonly #directoryTimes = new Map<string, FileTimes>();
  #file: { readonly fd: Fd; readonly header: TarHeader } | undefined;

  constructor(options: ExtractorOptions) {
    this.#options = options;
    this.#tree = options.tree;
    this.#fdOps = options.fdOps;
  }

  entry(header: TarHeader): void {
    this.currentName = header.path;
    const name = memberPath(header.path);
    // The extraction point keeps what it is.
    if (name === '') return;
    const path = below(this.#options.directory, name);
    const merges = this.#makeRoom(path, name, header);
    if (header.type === 'file') this.#beginFile(header, path);
    else if (header.type === 'directory') this.#directory(header, path, merges);
    else if (header.type === 'hardlink') this.#hardLink(header, path);
    else if (header.type === 'symlink') this.#symlink(header, path);
    else this.#node(header, path);
  }

  data(chunk: Uint8Array, offset: number): void {
    if (!this.#file) return;
    const { fd, header } = this.#file;
    if (!header.sparse) this.#fdOps.write(fd, chunk);
    else for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at, chunk.length - at, offset + at);
  }

  end(): void {
    const file = this.#file;
    if (!file) return;
    const { fd, header } = file;
    try {
      if (header.sparse) ftruncateSync(fd, header.size);
      const { uid, gid } = this.#ownerOf(header);
      this.#fdOps.fchown(fd, uid, gid);
      // After the content and chown, which clear setuid and file capabilities.
      this.#fdOps.fchmod(fd, header.mode);
      settingXattrs(header, (name, value) => this.#fdOps.fsetXattr(fd, name, value));
      this.#fdOps.futimens(fd, timesOf(header));
    } finally {
      this[Symbol.dispose]();
    }
  }

  /** Call after the last member. */
  finish(): void {
    for (const [path, times] of this.#directoryTimes) {
      const stat = lstat(this.#tree, path);
      // Something later in the archive, or somebody else, may have taken its place.
      if (!stat || !isDirectory(stat)) continue;
      const place = this.#writable(path);
      place.root.lutimes(place.path, times);
    }
  }

  [Symbol.dispose](): void {
    const fd = this.#file?.fd;
    this.#file = undefined;
    if (fd !== undefined) this.#fdOps.close(fd);
  }

  /** Makes missing parents, and removes what is in the way. True: the directory that is there stays. */
  #makeRoom(path: string, name: string, header: TarHeader): boolean {
    const existing = lstat(this.#tree, path);
    if (!existing) {
      this.#makeParents(path);
      return false;
    }
    const isForDirectory = header.type === 'directory';
    if (isDirectory(existing) && isForDirectory) return true;
    this.#checkReplacement(existing, isForDirectory, name);
    const resolved = below(this.#tree.resolve(parentOf(path)), path.slice(path.lastIndexOf('/') + 1));
    // Removing would reach into a volume, or take a mount of a running container away.
    if (holdsMounts(this.#tree, resolved)) throw mountInTheWay(path);
    const place = this.#writable(path);
    place.root.remove(place.path);
    return false;
  }

  #checkReplacement(existing: FileStat, isForDirectory: boolean, name: string): void {
    if (!this.#options.noOverwriteDirNonDir || isDirectory(existing) === isForDirectory) return;
    const { directory } = this.#options;
    throw isForDirectory ? fileInTheWay(name, directory) : directoryInTheWay(name, directory);
  }

  /** Directories that the archive implies only: root's, 0755. */
  #makeParents(path: string): void {
    for (let end = path.indexOf('/', 1); end > 0; end = path.indexOf('/', end + 1)) {
      const parent = path.slice(0, end);
      if (lstat(this.#tree, parent)) continue;
      const place = this.#writable(parent);
      place.root.mkdir(place.path, IMPLIED_MODE);
      const { uid, gid } = toHost({ uid: 0, gid: 0 }, this.#options.owners);
      place.root.lchown(place.path, uid, gid);
      place.root.chmod(place.path, IMPLIED_MODE);
    }
  }

  #beginFile(header: TarHeader, path: string): void {
    const place = this.#writable(path);
    this.#file = { fd: place.root.open(place.path, CREATE_FLAGS, 0o600), header };
  }

  #directory(header: TarHeader, path: string, exists: boolean): void {
    const place = this.#writable(path);
    if (!exists) place.root.mkdir(place.path, 0o700);
    this.#setMetadata(header, place);
    this.#directoryTimes.set(path, timesOf(header));
  }

  #symlink(header: TarHeader, path: string): void {
    const { root, path: inner } = this.#writable(path);
    root.symlink(header.linkPath, inner);
    const { uid, gid } = this.#ownerOf(header);
    root.lchown(inner, uid, gid);
    root.lutimes(inner, timesOf(header));
  }

  #node(header: TarHeader, path: string): void {
    const type = header.type === 'character' ? S_IFCHR : header.type === 'block' ? S_IFBLK : S_IFIFO;
    const place = this.#writable(path);
    const device = { major: header.devMajor, minor: header.devMinor };
    place.root.mknod(place.path, type | 0o600, device);
    this.#setMetadata(header, place);
    place.root.lutimes(place.path, timesOf(header));
  }

  /** The link's own metadata is left alone: the inode has that of its first name. */
  #hardLink(header: TarHeader, path: string): void {
    const target = memberPath(header.linkPath);
    const existing = below(this.#options.directory, target);
    if (target === '' || !lstat(this.#tree, existing)) throw hardLinkToNothing(header.path, header.linkPath);
    const [from, to] = [this.#tree.place(existing), this.#writable(path)];
    // A link cannot cross mounts; the kernel says the same where it can see them.
    if (from.root !== to.root) throw hardLinkToNothing(header.path, header.linkPath);
    to.root.link(from.path, to.path);
  }

  #setMetadata(header: TarHeader, { root, path }: Place): void {
    const { uid, gid } = this.#ownerOf(header);
    root.lchown(path, uid, gid);
    root.chmod(path, header.mode);
    settingXattrs(header, (name, value) => root.lsetXattr(path, name, value));
  }

  #writable(path: string): Place {
    const place = this.#tree.place(path);
    if (place.readOnly) throw volumeReadOnly();
    return place;
  }

  #ownerOf(header: TarHeader): Owner {
    return toHost(this.#options.owner ?? header, this.#options.owners);
  }
}

/** A file system or kind of file that cannot hold an attribute is not an error. */
function settingXattrs(header: TarHeader, set: (name: string, value: Uint8Array) => void): void {
  for (const [name, value] of header.xattrs) {
    if (!PORTABLE_XATTR.test(name)) continue;
    try {
      set(name, value);
    } catch (error) {
      if (!XATTR_UNSUPPORTED.has(errnoCode(error) ?? '')) throw error;
    }
  }
}

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';

const timesOf = (header: TarHeader): FileTimes => ({
  atimeNs: header.atimeNs ?? header.mtimeNs,
  mtimeNs: header.mtimeNs,
});
