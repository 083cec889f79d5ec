import { constants, lstatSync, opendirSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type FileStat, type RootedDir, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, type Sys } from '#sys';

const CHUNK_BYTES = 1024 * 1024;
/** Bytes or entries after which other work of the daemon gets a turn. */
const TURN_BYTES = 8 * CHUNK_BYTES;
const TURN_ENTRIES = 256;

/** Where the content is put together, and what it is called once it is whole. Both lie in the volume: `_data` may be a mount. */
const PARTIAL = '.gantry-filling';
const WHOLE = '.gantry-filled';

/**
 * Fills an empty volume with what the image has at `destination`: contents, modes, owners, times, links, devices
 * and extended attributes. Does nothing when the volume has content or the image has no directory there. Paths
 * never leave either root, whatever links the image contains.
 *
 * Nothing appears in the volume before all has been copied. What a crash leaves is thrown away first, or brought to its end
 * if it was whole. The caller sees to it that nobody else fills the volume at the same time.
 */
export async function copyUp(
  sys: Sys,
  rootfs: string,
  destination: string,
  volumePath: string,
): Promise<boolean> {
  using to = sys.files.openRoot(volumePath);
  if (settle(to)) return true;
  if (to.list('.').length > 0) return false;
  using from = sys.files.openRoot(rootfs);
  const source = from.statFollow(destination);
  if (!source || !isDirectory(source)) return false;
  try {
    await new TreeCopy(sys, from, to).run(from.resolve(destination), PARTIAL, source);
  } catch (error) {
    to.remove(PARTIAL);
    throw error;
  }
  to.rename(PARTIAL, WHOLE);
  moveIn(to);
  return true;
}

/** Whether {@link copyUp} has nothing to do in a volume, whatever the image has. */
export function isFilled(volumePath: string): boolean {
  using directory = opendirSync(volumePath);
  return directory.readSync() !== null && !hasLeftovers(volumePath);
}

/** Whether a {@link copyUp} into the volume goes on or was cut short. False for a volume that is not there. */
export const hasLeftovers = (volumePath: string): boolean =>
  [PARTIAL, WHOLE].some((name) => lstatSync(join(volumePath, name), { throwIfNoEntry: false }) !== undefined);

/** Ends what a crash left of a {@link copyUp}, without an image. The caller sees to it that nobody fills the volume now. */
export function settleCopyUp(sys: Sys, volumePath: string): void {
  if (!hasLeftovers(volumePath)) return;
  using volume = sys.files.openRoot(volumePath);
  settle(volume);
}

/** Whether the content was whole: now it is there. */
function settle(volume: RootedDir): boolean {
  volume.remove(PARTIAL);
  if (!isDirectory(volume.stat(WHOLE))) return false;
  moveIn(volume);
  return true;
}

/** May be interrupted at any moment and called again. What a container made meanwhile under one of the names stays. */
function moveIn(volume: RootedDir): void {
  const stat = volume.stat(WHOLE);
  if (!stat) return;
  for (const name of volume.list(WHOLE)) {
    if (!volume.stat(name)) volume.rename(`${WHOLE}/${name}`, name);
  }
  copyAttributes(volume, WHOLE, volume, '.', stat);
  volume.remove(WHOLE);
  volume.lutimes('.', { atimeNs: stat.mtimeNs, mtimeNs: stat.mtimeNs });
}

const isDirectory = (stat: FileStat | undefined): boolean =>
  stat !== undefined && (stat.mode & S_IFMT) === S_IFDIR;

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

  async run(source: string, target: string, stat: FileStat): Promise<void> {
    this.#to.mkdir(target, 0o700);
    await this.#children(source, target);
    copyAttributes(this.#from, source, this.#to, target, stat);
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
    copyAttributes(this.#from, source, this.#to, target, stat);
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

  async #takeTurn(): Promise<void> {
    this.#entries += 1;
    if (this.#entries < TURN_ENTRIES && this.#bytes < TURN_BYTES) return;
    this.#entries = 0;
    this.#bytes = 0;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function copyAttributes(
  from: RootedDir,
  source: string,
  to: RootedDir,
  target: string,
  stat: FileStat,
): void {
  to.lchown(target, stat.uid, stat.gid);
  if ((stat.mode & S_IFMT) !== S_IFLNK) to.chmod(target, stat.mode & 0o7777);
  for (const name of from.llistXattrs(source)) {
    if (name.startsWith('trusted.overlay.') || name.startsWith('user.overlay.')) continue;
    const value = from.lgetXattr(source, name);
    if (value) to.lsetXattr(target, name, value);
  }
  to.lutimes(target, { atimeNs: stat.mtimeNs, mtimeNs: stat.mtimeNs });
}
