import { constants, readSync, writeSync } from 'node:fs';
import { type FileStat, type RootedDir, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, type Sys } from '#sys';

const CHUNK_BYTES = 1024 * 1024;
/** Bytes or entries after which other work of the daemon gets a turn. */
const TURN_BYTES = 8 * CHUNK_BYTES;
const TURN_ENTRIES = 256;

/**
 * Fills an empty volume with what the image has at `destination`: contents, modes, owners, times, links, devices
 * and extended attributes. Does nothing when the volume has content or the image has no directory there. Paths
 * never leave either root, whatever links the image contains.
 */
export async function copyUp(
  sys: Sys,
  rootfs: string,
  destination: string,
  volumePath: string,
): Promise<boolean> {
  using from = sys.files.openRoot(rootfs);
  using to = sys.files.openRoot(volumePath);
  if (to.list('.').length > 0) return false;
  const source = from.statFollow(destination);
  if (!source || (source.mode & S_IFMT) !== S_IFDIR) return false;
  await new TreeCopy(sys, from, to).run(from.resolve(destination), source);
  return true;
}

class TreeCopy {
  readonly #sys: Sys;
  readonly #from: RootedDir;
  readonly #to: RootedDir;
  /** Inode of a file with several links to its first path in the volume. */
  readonly #links = new Map<bigint, string>();
  #entries = 0;
  #bytes = 0;

  constructor(sys: Sys, from: RootedDir, to: RootedDir) {
    this.#sys = sys;
    this.#from = from;
    this.#to = to;
  }

  async run(source: string, stat: FileStat): Promise<void> {
    await this.#children(source, '.');
    this.#attributes(source, '.', stat);
  }

  async #children(source: string, target: string): Promise<void> {
    for (const name of this.#from.list(source)) {
      await this.#entry(`${source}/${name}`, `${target}/${name}`);
    }
  }

  async #entry(source: string, target: string): Promise<void> {
    await this.#takeTurn();
    const stat = this.#from.stat(source);
    if (!stat) return;
    const type = stat.mode & S_IFMT;
    if (type !== S_IFDIR && stat.nlink > 1) {
      const first = this.#links.get(stat.ino);
      if (first !== undefined) return this.#to.link(first, target);
      this.#links.set(stat.ino, target);
    }
    if (type === S_IFDIR) {
      this.#to.mkdir(target, 0o700);
      await this.#children(source, target);
    } else if (type === S_IFREG) await this.#file(source, target);
    else if (type === S_IFLNK) this.#to.symlink(this.#from.readlink(source), target);
    else this.#to.mknod(target, stat.mode, stat.rdev);
    this.#attributes(source, target, stat);
  }

  async #file(source: string, target: string): Promise<void> {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_WRONLY, O_CREAT, O_EXCL } = constants;
    const input = this.#from.open(source, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      const output = this.#to.open(target, O_WRONLY | O_CREAT | O_EXCL, 0o600);
      try {
        await this.#pump(input, output);
      } finally {
        this.#sys.processes.closeFd(output);
      }
    } finally {
      this.#sys.processes.closeFd(input);
    }
  }

  async #pump(input: number, output: number): Promise<void> {
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    for (let length = readSync(input, buffer); length > 0; length = readSync(input, buffer)) {
      for (let done = 0; done < length; ) done += writeSync(output, buffer, done, length - done);
      this.#bytes += length;
      await this.#takeTurn();
    }
  }

  #attributes(source: string, target: string, stat: FileStat): void {
    this.#to.lchown(target, stat.uid, stat.gid);
    if ((stat.mode & S_IFMT) !== S_IFLNK) this.#to.chmod(target, stat.mode & 0o7777);
    for (const name of this.#from.llistXattrs(source)) {
      if (name.startsWith('trusted.overlay.') || name.startsWith('user.overlay.')) continue;
      const value = this.#from.lgetXattr(source, name);
      if (value) this.#to.lsetXattr(target, name, value);
    }
    this.#to.lutimes(target, { atimeNs: stat.mtimeNs, mtimeNs: stat.mtimeNs });
  }

  async #takeTurn(): Promise<void> {
    this.#entries += 1;
    if (this.#entries < TURN_ENTRIES && this.#bytes < TURN_BYTES) return;
    this.#entries = 0;
    this.#bytes = 0;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
