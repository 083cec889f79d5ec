import { constants, readSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { createTarStream, type TarEntryType, type TarHeaderInit, type TarInput } from '#base';
import { type IdMappings, OVERFLOW_ID, toContainerId, unmappedCapability } from '#oci';
import {
  type FileStat,
  type RootedDir,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  type Sys,
} from '#sys';

const TYPES: ReadonlyMap<number, TarEntryType> = new Map([
  [S_IFREG, 'file'],
  [S_IFDIR, 'directory'],
  [S_IFLNK, 'symlink'],
  [S_IFCHR, 'character'],
  [S_IFBLK, 'block'],
  [S_IFIFO, 'fifo'],
]);
const CAPABILITY = 'security.capability';
const CHUNK_BYTES = 256 * 1024;

/** A whole tree as a tar, read below its root only. `done` is called once, when the stream is closed, however that came. */
export function exportTree(
  sys: Sys,
  rootfs: string,
  options: {
    readonly done: () => void;
    /** The tree has the host's IDs of this user namespace; the archive gets the container's. */
    readonly mappings?: IdMappings | undefined;
  },
): Readable {
  const stream = createTarStream(walk(sys, rootfs, options.mappings), { onSizeMismatch: 'fit' });
  // Not at the end of the walk: that never begins when nobody reads.
  return stream.once('close', options.done);
}

async function* walk(sys: Sys, rootfs: string, mappings: IdMappings | undefined): AsyncGenerator<TarInput> {
  using root = sys.files.openRoot(rootfs);
  yield* new TreeWalk(sys, root, mappings).entries('');
}

class TreeWalk {
  readonly #sys: Sys;
  readonly #root: RootedDir;
  readonly #mappings: IdMappings | undefined;
  /** Device and inode of a file with several links to the name it was written under. */
  readonly #links = new Map<string, string>();

  constructor(sys: Sys, root: RootedDir, mappings: IdMappings | undefined) {
    this.#sys = sys;
    this.#root = root;
    this.#mappings = mappings;
  }

  *entries(directory: string): Generator<TarInput> {
    for (const name of this.#root.list(directory === '' ? '.' : directory).sort()) {
      const path = directory === '' ? name : `${directory}/${name}`;
      const stat = this.#root.stat(path);
      const type = stat && TYPES.get(stat.mode & S_IFMT);
      // Sockets have no place in an archive; what vanished meanwhile has none either.
      if (!stat || !type) continue;
      yield this.#entry(path, type, stat);
      if (type === 'directory') yield* this.entries(path);
    }
  }

  #entry(path: string, type: TarEntryType, stat: FileStat): TarInput {
    const header: TarHeaderInit = {
      path: type === 'directory' ? `${path}/` : path,
      type,
      mode: stat.mode & 0o7777,
      uid: this.#owner(stat.uid, 'uids'),
      gid: this.#owner(stat.gid, 'gids'),
      mtimeNs: stat.mtimeNs,
      devMajor: type === 'character' || type === 'block' ? stat.rdev.major : 0,
      devMinor: type === 'character' || type === 'block' ? stat.rdev.minor : 0,
      xattrs: this.#xattrs(path),
    };
    if (type === 'symlink') return { header: { ...header, linkPath: this.#root.readlink(path) } };
    if (type !== 'file') return { header };
    const key = `${stat.dev.major}:${stat.dev.minor}:${stat.ino}`;
    const first = stat.nlink > 1 ? this.#links.get(key) : undefined;
    if (first !== undefined) return { header: { ...header, type: 'hardlink', linkPath: first } };
    if (stat.nlink > 1) this.#links.set(key, path);
    return { header: { ...header, size: Number(stat.size) }, body: this.#content(path) };
  }

  #owner(id: number, kind: keyof IdMappings): number {
    if (!this.#mappings) return id;
    return toContainerId(id, this.#mappings[kind]) ?? OVERFLOW_ID;
  }

  #xattrs(path: string): Map<string, Uint8Array> {
    const found = new Map<string, Uint8Array>();
    for (const name of this.#root.llistXattrs(path)) {
      if (name !== CAPABILITY && !name.startsWith('user.')) continue;
      const value = this.#root.lgetXattr(path, name);
      if (value) found.set(name, this.#mappings && name === CAPABILITY ? unmappedCapability(value) : value);
    }
    return found;
  }

  async *#content(path: string): AsyncGenerator<Uint8Array> {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
    const fd = this.#root.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      for (;;) {
        const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
        const length = readSync(fd, buffer);
        if (length === 0) return;
        yield buffer.subarray(0, length);
      }
    } finally {
      this.#sys.processes.closeFd(fd);
    }
  }
}
