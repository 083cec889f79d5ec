import { constants, ftruncateSync, writeSync } from 'node:fs';
import { errnoCode, invalidArgument, type TarHeader, type TarSink } from '#base';
import {
  type Fd,
  type FdOps,
  type FileTimes,
  type RootedDir,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFMT,
} from '#sys';
import { copyMetadata, isPortableXattr, settingXattr } from '../file-metadata.ts';
import { lookupPath } from '../layer-chain.ts';
import { isDirectory, isWhiteout, makeOpaque, makeWhiteout } from '../overlay-marks.ts';
import { copyUp } from './copy-up.ts';
import { classifyName, cleanPath, parentOf } from './names.ts';

const CREATE_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** The largest size that ftruncate takes from JavaScript; file systems end far below it. */
const MAX_FILE_BYTES = 2 ** 52 - 1;

export interface LayerApplierOptions {
  /** An empty directory. */
  readonly target: RootedDir;
  /** The layers below, topmost first. */
  readonly parents: readonly RootedDir[];
  readonly fdOps: FdOps;
}

/**
 * Writes the members of a layer archive into a directory that overlayfs can use as a layer. Every path is
 * resolved by the kernel below the target ({@link RootedDir}), so that no name and no symlink leads out of it.
 *
 * Of several members with one name the last wins; a directory over a directory merges. Dispose it when the archive
 * breaks off, to close the file in hand.
 */
export class LayerApplier implements TarSink, Disposable {
  /** The member being worked on, for messages. */
  currentName = '';
  readonly #target: RootedDir;
  readonly #parents: readonly RootedDir[];
  readonly #fdOps: FdOps;
  /** Set last, because making entries changes them. */
  readonly #directoryTimes = new Map<string, bigint>();
  #file: { readonly fd: Fd; readonly header: TarHeader } | undefined;
  #sizeBytes = 0;
  #hasOpaqueRoot = false;

  constructor({ target, parents, fdOps }: LayerApplierOptions) {
    this.#target = target;
    this.#parents = parents;
    this.#fdOps = fdOps;
    this.#inheritMetadata('');
  }

  /** Sum of the sizes of the regular files. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Whether the layer hides everything below it; overlayfs itself takes no such mark on a root. */
  get hasOpaqueRoot(): boolean {
    return this.#hasOpaqueRoot;
  }

  entry(header: TarHeader): void {
    this.currentName = header.path;
    const name = classifyName(header.path);
    if (name.kind === 'whiteout') this.#whiteout(name.path);
    else if (name.kind === 'opaque') this.#opaque(name.path);
    else if (name.kind === 'member') this.#member(header, name.path);
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
      this.#fdOps.fchown(fd, header.uid, header.gid);
      // After the content and chown, which clear setuid and file capabilities.
      this.#fdOps.fchmod(fd, header.mode);
      for (const [name, value] of header.xattrs)
        if (isPortableXattr(name)) settingXattr(() => this.#fdOps.fsetXattr(fd, name, value));
      this.#fdOps.futimens(fd, timesOf(header));
    } finally {
      this.#close();
    }
  }

  /** Call after the last member. */
  finish(): void {
    for (const [path, mtimeNs] of this.#directoryTimes) {
      const stat = this.#target.stat(path);
      // Something later in the archive may have taken its place.
      if (stat && isDirectory(stat)) this.#target.lutimes(path, { atimeNs: mtimeNs, mtimeNs });
    }
  }

  [Symbol.dispose](): void {
    this.#close();
  }

  #close(): void {
    const fd = this.#file?.fd;
    this.#file = undefined;
    if (fd !== undefined) this.#fdOps.close(fd);
  }

  #member(header: TarHeader, path: string): void {
    if (path === '' && header.type !== 'directory')
      throw invalidArgument(`invalid layer: member without a name: ${JSON.stringify(header.path)}`);
    switch (header.type) {
      case 'file':
        this.#beginFile(header, path);
        break;
      case 'directory':
        this.#directory(header, path);
        break;
      case 'hardlink':
        this.#hardlink(header, path);
        break;
      case 'symlink':
        this.#symlink(header, path);
        break;
      case 'character':
        // Device 0:0 is how overlayfs itself writes a deletion.
        if (header.devMajor === 0 && header.devMinor === 0) this.#whiteout(path);
        else this.#node(header, path, S_IFCHR);
        break;
      case 'block':
        this.#node(header, path, S_IFBLK);
        break;
      case 'fifo':
        this.#node(header, path, S_IFIFO);
        break;
    }
  }

  #beginFile(header: TarHeader, path: string): void {
    if (header.size > MAX_FILE_BYTES) throw invalidArgument(`invalid layer: '${path}' is too large`);
    const fd = this.#creating(path, () => this.#target.open(path, CREATE_FLAGS, 0o600));
    this.#file = { fd, header };
    this.#sizeBytes += header.size;
  }

  #directory(header: TarHeader, path: string): void {
    if (path !== '') this.#makeDirectory(path);
    this.#setMetadata(header, path);
    this.#directoryTimes.set(path, header.mtimeNs);
  }

  #symlink(header: TarHeader, path: string): void {
    if (header.linkPath === '') throw invalidArgument(`invalid layer: symlink without a target: '${path}'`);
    this.#creating(path, () => this.#target.symlink(header.linkPath, path));
    this.#target.lchown(path, header.uid, header.gid);
    this.#setXattrs(header, path);
    this.#target.lutimes(path, timesOf(header));
  }

  #node(header: TarHeader, path: string, type: number): void {
    const device = { major: header.devMajor, minor: header.devMinor };
    this.#creating(path, () => this.#target.mknod(path, type | 0o600, device));
    this.#setMetadata(header, path);
    this.#target.lutimes(path, timesOf(header));
  }

  /** The link's own metadata is left alone: the inode has that of its first name. */
  #hardlink(header: TarHeader, path: string): void {
    const existing = cleanPath(header.linkPath);
    if (existing === '') throw invalidArgument(`invalid layer: hard link without a target: '${path}'`);
    const stat = this.#target.stat(existing);
    if (stat && isWhiteout(stat))
      throw invalidArgument(`invalid layer: hard link to a deleted file: '${path}'`);
    if (!stat) this.#copyUpFromParents(existing);
    if (existing !== path) this.#creating(path, () => this.#target.link(existing, path));
  }

  #copyUpFromParents(path: string): void {
    const source = lookupPath(this.#parents, path);
    if (!source) throw invalidArgument(`invalid layer: hard link to a missing file: '${path}'`);
    this.#makeParents(path);
    copyUp(source, path, this.#target, this.#fdOps);
  }

  #whiteout(path: string): void {
    // Nothing below to hide: a mark would only show up as an odd entry in listings.
    if (!lookupPath(this.#parents, path)) return;
    const existing = this.#target.stat(path);
    if (!existing) this.#withParents(path, () => makeWhiteout(this.#target, path));
    // What this layer brings itself stays; of a directory only the lower part is hidden.
    else if (isDirectory(existing)) makeOpaque(this.#target, path);
  }

  #opaque(path: string): void {
    if (path === '') this.#hasOpaqueRoot = true;
    else {
      this.#makeParents(`${path}/x`);
      makeOpaque(this.#target, path);
    }
  }

  #makeDirectory(path: string): void {
    const make = (): void => this.#target.mkdir(path, 0o700);
    try {
      this.#withParents(path, make);
    } catch (error) {
      if (errnoCode(error) !== 'EEXIST') throw error;
      const existing = this.#target.stat(path);
      if (existing && isDirectory(existing)) return;
      this.#target.remove(path);
      make();
      // A directory in the place of a whiteout must go on hiding what is below.
      if (existing && isWhiteout(existing)) makeOpaque(this.#target, path);
    }
  }

  /** Runs `create`; what stands in its way is removed, missing parents are made. */
  #creating<T>(path: string, create: () => T): T {
    try {
      return this.#withParents(path, create);
    } catch (error) {
      if (errnoCode(error) !== 'EEXIST') throw error;
      this.#target.remove(path);
      return create();
    }
  }

  #withParents<T>(path: string, create: () => T): T {
    try {
      return create();
    } catch (error) {
      const code = errnoCode(error);
      if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
      this.#makeParents(path);
      return create();
    }
  }

  /** Makes the missing directories above `path`, each like its counterpart in the layers below. */
  #makeParents(path: string): void {
    const parent = parentOf(path);
    for (let end = 0; end < parent.length; ) {
      const slash = parent.indexOf('/', end + 1);
      end = slash < 0 ? parent.length : slash;
      this.#makeImplicit(parent.slice(0, end));
    }
  }

  #makeImplicit(path: string): void {
    const existing = this.#target.stat(path);
    if (existing && !isWhiteout(existing)) return;
    if (existing) this.#target.unlink(path);
    this.#target.mkdir(path, 0o755);
    if (existing) makeOpaque(this.#target, path);
    else this.#inheritMetadata(path);
  }

  #inheritMetadata(path: string): void {
    const source = lookupPath(this.#parents, path);
    if (!source || (source.stat.mode & S_IFMT) !== S_IFDIR) {
      this.#target.chmod(path, 0o755);
      return;
    }
    copyMetadata({ ...source, path }, { root: this.#target, path });
    this.#directoryTimes.set(path, source.stat.mtimeNs);
  }

  #setMetadata(header: TarHeader, path: string): void {
    this.#target.lchown(path, header.uid, header.gid);
    this.#target.chmod(path, header.mode);
    this.#setXattrs(header, path);
  }

  #setXattrs(header: TarHeader, path: string): void {
    for (const [name, value] of header.xattrs)
      if (isPortableXattr(name)) settingXattr(() => this.#target.lsetXattr(path, name, value));
  }
}

const timesOf = (header: TarHeader): FileTimes => ({
  atimeNs: header.atimeNs ?? header.mtimeNs,
  mtimeNs: header.mtimeNs,
});
