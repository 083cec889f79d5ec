import { close, closeSync, constants, fstatSync, openSync, read } from 'node:fs';
import { promisify } from 'node:util';
import { errnoCode, type TarEntryType, type TarHeaderInit, type TarInput } from '#base';
import { type FileStat, O_PATH, S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG } from '#sys';
import { below, lastComponent } from './names.ts';
import { type OwnerMappings, toContainer } from './ownership.ts';
import type { Found } from './path-stat.ts';
import { type ContainerTree, mountOf, type Place } from './tree.ts';

const readFile = promisify(read);
const closeFile = promisify(close);

const READ_BYTES = 256 * 1024;
/** Entries after which other work of the daemon gets a turn. */
const TURN_ENTRIES = 64;

const TYPES: Readonly<Record<number, TarEntryType>> = {
  [S_IFREG]: 'file',
  [S_IFLNK]: 'symlink',
  [S_IFCHR]: 'character',
  [S_IFBLK]: 'block',
  [S_IFDIR]: 'directory',
  [S_IFIFO]: 'fifo',
};

/** Of an entry that goes away or changes its kind while it is read: it is left out. */
const VANISHED = new Set(['EINVAL', 'ELOOP', 'ENOENT', 'ENOTDIR', 'ENXIO']);

export interface PackOptions {
  readonly owners: OwnerMappings;
  /** Extended attributes that go into the archive. Default: `security.capability`, as docker. */
  readonly wantsXattr?: (name: string) => boolean;
}

/**
 * The members of an archive of `found`, named after the last component of `path` as docker names them: `/etc` gives
 * `etc/`, `etc/passwd`; `/etc/.` gives `./`, `./passwd`; `/` gives `/`, `/etc/`.
 * Source: moby `daemon/archive_unix.go`, moby/go-archive TarResourceRebaseOpts.
 */
export function packEntries(
  tree: ContainerTree,
  path: string,
  found: Found,
  options: PackOptions,
): AsyncGenerator<TarInput> {
  const base = lastComponent(path);
  return new Packer(tree, options).entries(found.path, base === '/' ? '' : base);
}

class Packer {
  readonly #tree: ContainerTree;
  readonly #options: PackOptions;
  /** Device and inode of a file with several names to the one it was archived under. */
  readonly #links = new Map<string, string>();
  #count = 0;

  constructor(tree: ContainerTree, options: PackOptions) {
    this.#tree = tree;
    this.#options = options;
  }

  async *entries(path: string, name: string): AsyncGenerator<TarInput> {
    this.#count += 1;
    if (this.#count % TURN_ENTRIES === 0) await new Promise((resolve) => setImmediate(resolve));
    let children: readonly string[] = [];
    try {
      const place = this.#tree.place(path);
      const stat = place.root.stat(place.path);
      const type = stat && TYPES[stat.mode & S_IFMT];
      // Sockets have no place in an archive.
      if (!stat || !type) return;
      if (type === 'file') yield* this.#file(place, name, stat);
      else yield { header: this.#header(place, name, type, stat) };
      if (type === 'directory' && this.#isOpen(path)) children = place.root.list(place.path).sort();
    } catch (error) {
      if (!VANISHED.has(errnoCode(error) ?? '')) throw error;
    }
    for (const child of children) yield* this.entries(below(path, child), `${name}/${child}`);
  }

  /** Nothing of what the kernel mounts into a container belongs to it, unless it was asked for. */
  #isOpen(path: string): boolean {
    const mount = mountOf(this.#tree, path);
    return mount.target !== path || !mount.isTransient || this.#count === 1;
  }

  #header(place: Place, name: string, type: TarEntryType, stat: FileStat): TarHeaderInit {
    const header: TarHeaderInit = {
      path: type === 'directory' ? `${name}/` : name,
      type,
      mode: stat.mode & 0o7777,
      ...toContainer(stat, this.#options.owners),
      mtimeNs: stat.mtimeNs,
      xattrs: this.#xattrs(place),
    };
    const first = this.#firstName(name, type, stat);
    if (first !== undefined) return { ...header, type: 'hardlink', linkPath: first };
    if (type === 'symlink') return { ...header, linkPath: place.root.readlink(place.path) };
    if (type === 'file') return { ...header, size: Number(stat.size) };
    if (type !== 'character' && type !== 'block') return header;
    return { ...header, devMajor: stat.rdev.major, devMinor: stat.rdev.minor };
  }

  #firstName(name: string, type: TarEntryType, stat: FileStat): string | undefined {
    if (type === 'directory' || stat.nlink < 2) return undefined;
    const inode = `${stat.dev.major}:${stat.dev.minor}:${stat.ino}`;
    const first = this.#links.get(inode);
    if (first === undefined) this.#links.set(inode, name);
    return first;
  }

  #xattrs({ root, path }: Place): Map<string, Uint8Array> {
    const wanted = this.#options.wantsXattr ?? ((name: string) => name === 'security.capability');
    const found = new Map<string, Uint8Array>();
    for (const name of root.llistXattrs(path).filter(wanted)) {
      const value = root.lgetXattr(path, name);
      if (value) found.set(name, value);
    }
    return found;
  }

  /** The file is opened before its header goes out, so that one that has vanished leaves no trace. */
  async *#file(place: Place, name: string, stat: FileStat): AsyncGenerator<TarInput> {
    const fd = openRegular(place);
    if (fd === undefined) return;
    try {
      const header = this.#header(place, name, 'file', stat);
      yield header.type === 'hardlink' ? { header } : { header, body: readChunks(fd) };
    } finally {
      await closeFile(fd);
    }
  }
}

/**
 * Opens a file only if it is one. Looking first and opening then would let a racing container put a device there, whose
 * mere opening may have effects, and which its own device rules would not let it open.
 */
function openRegular({ root, path }: Place): number | undefined {
  const { O_NOFOLLOW, O_RDONLY, O_NONBLOCK } = constants;
  const entry = root.open(path, O_PATH | O_NOFOLLOW);
  try {
    if (!fstatSync(entry).isFile()) return undefined;
    // The very inode that was looked at.
    return openSync(`/proc/self/fd/${entry}`, O_RDONLY | O_NONBLOCK);
  } finally {
    closeSync(entry);
  }
}

async function* readChunks(fd: number): AsyncGenerator<Uint8Array> {
  for (;;) {
    // A buffer of its own for each: what was handed out may still be on its way to the client.
    const { bytesRead, buffer } = await readFile(fd, Buffer.allocUnsafeSlow(READ_BYTES), 0, READ_BYTES, null);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}
