import { internal } from '#base';
import { type IdMappings, mappedRoot } from '#oci';
import { type RootedDir, S_IFDIR, S_IFMT } from '#sys';
import { openStoppedTree, resolveLoosely } from '../archive/index.ts';
import type { Engine } from '../engine.ts';

export interface WorkingDirectoryOptions {
  /** Of the container's snapshot. */
  readonly key: string;
  /** Absolute path in the container, or empty. */
  readonly directory: string;
  /** What the snapshot stands on; undefined: nothing. */
  readonly chainId: string | undefined;
  readonly idMappings: IdMappings | undefined;
}

/** Pairs of image and directory that are remembered, at most. */
const MAX_KNOWN = 1000;
const MODE = 0o755;

/**
 * Makes working directories that their images lack when the container is made, so that `cp`, `diff` and `export` show
 * them before the first start. A snapshot is mounted for it only if its image is not known to have the directory: almost
 * every image has the one that it names itself.
 */
export class WorkingDirectories {
  readonly #known = new Set<string>();

  /** @throws `internal` with docker's text when there is something else. Source: moby `daemon/container/container.go`. */
  make(engine: Pick<Engine, 'snapshotter' | 'sys'>, options: WorkingDirectoryOptions): void {
    const { key, directory, chainId } = options;
    const pair = `${chainId} ${directory}`;
    if (['', '/'].includes(directory) || this.#known.has(pair)) return;
    const rootfs = engine.snapshotter.mount(key);
    try {
      if (!makeAll(engine.sys.files, rootfs, options)) this.#remember(pair);
    } finally {
      engine.snapshotter.unmount(key);
    }
  }

  #remember(pair: string): void {
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.add(pair);
  }
}

/** Whether something had to be made. */
function makeAll(
  files: Engine['sys']['files'],
  rootfs: string,
  { directory, idMappings }: WorkingDirectoryOptions,
): boolean {
  using root = files.openRoot(rootfs);
  if (isDirectory(root, directory)) return false;
  using tree = openStoppedTree(files, { rootfs, readonlyRootfs: false, mounts: [] });
  const names = resolveLoosely(tree, directory).slice(1).split('/');
  const owner = idMappings && mappedRoot(idMappings);
  for (let length = 1; length <= names.length; length += 1) {
    const path = `/${names.slice(0, length).join('/')}`;
    const found = root.stat(path);
    if (found && (found.mode & S_IFMT) !== S_IFDIR) {
      throw internal(`Cannot mkdir: ${directory} is not a directory`);
    }
    if (found) continue;
    root.mkdir(path, MODE);
    if (owner) root.lchown(path, owner.uid, owner.gid);
  }
  return true;
}

/** Whatever else is there, or on the way, is looked at afterwards. */
function isDirectory(root: RootedDir, path: string): boolean {
  try {
    return ((root.statFollow(path)?.mode ?? 0) & S_IFMT) === S_IFDIR;
  } catch {
    return false;
  }
}
