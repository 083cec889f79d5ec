import { closeSync, constants, fstatSync, realpathSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import { errnoCode } from '#base';
import { type Files, O_PATH, type RootedDir } from '#sys';
import { bindSourceMissing } from '../errors.ts';
import { isWithin } from './names.ts';
import type { ContainerTree, Place, TreeMount } from './tree.ts';
import { walk } from './walk.ts';

/** A bind or volume of a stopped container. */
export interface StoppedMount {
  /** Absolute path in the container; links in it are followed within the container. */
  readonly destination: string;
  /** Absolute host path of a file or directory. */
  readonly source: string;
  /** Below `source`; links in it do not lead out of `source`. */
  readonly subpath?: string;
  readonly readOnly: boolean;
}

export interface StoppedTreeOptions {
  /** Host path of the mounted snapshot. */
  readonly rootfs: string;
  readonly readonlyRootfs: boolean;
  /** Binds and volumes, no tmpfs: it is empty while nothing runs. Files of the engine (`/etc/hosts`, …) count as binds. */
  readonly mounts: readonly StoppedMount[];
}

interface Mounted extends TreeMount {
  readonly root: RootedDir;
  /** What `root` is below: '' where the mount is a directory, the name where it is a file. */
  readonly base: string;
}

const DIRECTORY_MODE = 0o755;

/**
 * The file system of a stopped container: its snapshot, with volumes and binds laid over it by name, because nothing is
 * mounted. Each has a {@link RootedDir} of its own. Missing mount points are made in the snapshot, as a start would.
 */
export function openStoppedTree(files: Pick<Files, 'openRoot'>, options: StoppedTreeOptions): ContainerTree {
  const tree = new StoppedTree(files, options);
  try {
    const byDepth = [...options.mounts].sort((a, b) => depth(a.destination) - depth(b.destination));
    for (const mount of byDepth) tree.add(mount);
    return tree;
  } catch (error) {
    tree[Symbol.dispose]();
    throw error;
  }
}

class StoppedTree implements ContainerTree {
  readonly #files: Pick<Files, 'openRoot'>;
  readonly #mounted: Mounted[];

  constructor(files: Pick<Files, 'openRoot'>, { rootfs, readonlyRootfs }: StoppedTreeOptions) {
    this.#files = files;
    const root = files.openRoot(rootfs);
    this.#mounted = [{ target: '/', readOnly: readonlyRootfs, isTransient: false, root, base: '' }];
  }

  get mounts(): readonly TreeMount[] {
    return this.#mounted;
  }

  add({ destination, source, subpath, readOnly }: StoppedMount): void {
    const { root, base } = openSource(this.#files, source, subpath);
    try {
      const target = walk((at) => this.#at(at), destination, { followLast: true, missing: 'keep' });
      this.#makeMountPoint(target, base === '');
      this.#mounted.push({ target, readOnly, isTransient: false, root, base });
    } catch (error) {
      root[Symbol.dispose]();
      throw error;
    }
  }

  place(path: string): Place {
    // With nothing laid over it the kernel can do the whole way.
    if (this.#mounted.length === 1) return this.#at(path);
    // What `..` or `/` at the end names is a directory by itself, not an entry of one.
    const followLast = /(?:^|\/)\.{0,2}$/.test(path);
    return this.#at(walk((at) => this.#at(at), path, { followLast, missing: 'throw' }));
  }

  resolve(path: string): string {
    const [only, ...others] = this.#mounted;
    if (only && others.length === 0) return only.root.resolve(path);
    return walk((at) => this.#at(at), path, { followLast: true, missing: 'throw' });
  }

  [Symbol.dispose](): void {
    for (const { root } of this.#mounted) root[Symbol.dispose]();
  }

  /** The place of a path that has no links in it. */
  #at(path: string): Place {
    const mount = this.#mounted.findLast(({ target }) => isWithin(path, target));
    if (!mount) throw new Error(`no mount holds ${path}`);
    const inner = mount.target === '/' ? path : path.slice(mount.target.length);
    return { root: mount.root, path: posix.join(mount.base, inner), readOnly: mount.readOnly };
  }

  #makeMountPoint(target: string, isDirectory: boolean): void {
    const names = target.split('/').filter((name) => name !== '');
    for (let length = 1; length <= names.length; length += 1) {
      const { root, path } = this.#at(`/${names.slice(0, length).join('/')}`);
      if (root.stat(path)) continue;
      try {
        if (length < names.length || isDirectory) root.mkdir(path, DIRECTORY_MODE);
        else makeFile(root, path);
      } catch (error) {
        // Without a mount point the mount is still found by its name.
        if (!['EROFS', 'EACCES', 'ENOTDIR', 'EEXIST'].includes(errnoCode(error) ?? '')) throw error;
      }
    }
  }
}

function makeFile(root: RootedDir, path: string): void {
  const { O_WRONLY, O_CREAT, O_EXCL } = constants;
  closeSync(root.open(path, O_WRONLY | O_CREAT | O_EXCL, DIRECTORY_MODE));
}

type Opened = Pick<Mounted, 'root' | 'base'>;

/** @throws docker's text when nothing is there. */
function openSource(files: Pick<Files, 'openRoot'>, source: string, subpath: string | undefined): Opened {
  try {
    const real = realpathSync(source);
    if (subpath !== undefined && subpath !== '') return openPart(files, real, subpath);
    if (statSync(real).isDirectory()) return { root: files.openRoot(real), base: '' };
    return { root: files.openRoot(posix.dirname(real)), base: posix.basename(real) };
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') throw bindSourceMissing(posix.join(source, subpath ?? ''));
    throw error;
  }
}

/** Names in a volume belong to whoever writes to it: what was found there is reached by descriptor, never by its name. */
function openPart(files: Pick<Files, 'openRoot'>, volumePath: string, subpath: string): Opened {
  using volume = files.openRoot(volumePath);
  const part = rootOf(files, volume, subpath);
  if (part) return { root: part, base: '' };
  const path = volume.resolve(subpath);
  const parent = rootOf(files, volume, posix.dirname(path));
  if (!parent) throw bindSourceMissing(posix.join(volumePath, subpath));
  return { root: parent, base: posix.basename(path) };
}

/** Undefined when it is no directory. */
function rootOf(files: Pick<Files, 'openRoot'>, volume: RootedDir, path: string): RootedDir | undefined {
  const fd = volume.open(path, O_PATH);
  try {
    return fstatSync(fd).isDirectory() ? files.openRoot(`/proc/self/fd/${fd}`) : undefined;
  } finally {
    closeSync(fd);
  }
}

const depth = (path: string): number => path.split('/').filter((name) => name !== '').length;
