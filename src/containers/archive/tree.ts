import { errnoCode } from '#base';
import type { FileStat, RootedDir } from '#sys';
import { isWithin } from './names.ts';
import { walk } from './walk.ts';

/** One entry of a container's file system: a path below a root that it cannot lead out of. */
export interface Place {
  readonly root: RootedDir;
  readonly path: string;
  /** Nothing may be written here although the root would let us. */
  readonly readOnly: boolean;
}

/** A mount of the container. */
export interface TreeMount {
  /** Absolute path in the container, without symbolic links. `/` is the root file system. */
  readonly target: string;
  readonly readOnly: boolean;
  /** Made by the kernel or for this run only (`proc`, `sysfs`, `/dev`, …): archives show it as an empty directory. */
  readonly isTransient: boolean;
}

/**
 * A container's file system as its processes see it: root file system, volumes, binds, tmpfs. Paths are absolute in the
 * container. Implementations differ in who crosses mounts: the kernel ({@link openLiveTree}) or we
 * ({@link openStoppedTree}). Either way every operation happens in a {@link RootedDir}, so that names, links and races lead
 * to another place in the container at worst, never out of it.
 */
export interface ContainerTree extends Disposable {
  /** In mount order; `/` is the first. */
  readonly mounts: readonly TreeMount[];
  /** Where an entry is. Links on the way are followed, one at the end is not. @throws SysError ENOENT, ENOTDIR, ELOOP. */
  place(path: string): Place;
  /** The path with every link resolved, also at the end. @throws SysError ENOENT, ENOTDIR, ELOOP. */
  resolve(path: string): string;
}

/** lstat. Undefined when nothing is there. */
export function lstat(tree: ContainerTree, path: string): FileStat | undefined {
  try {
    const place = tree.place(path);
    return place.root.stat(place.path);
  } catch (error) {
    if (errnoCode(error) === 'ENOENT' || errnoCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** The path with every link resolved as far as there is something; the rest stays as it is. */
export function resolveLoosely(tree: ContainerTree, path: string): string {
  return walk((at) => tree.place(at), path, { followLast: true, missing: 'keep' });
}

/** The mount that holds a resolved path. */
export function mountOf(tree: ContainerTree, path: string): TreeMount {
  let found: TreeMount = { target: '/', readOnly: false, isTransient: false };
  // A later mount on the same target hides the earlier one.
  for (const mount of tree.mounts)
    if (isWithin(path, mount.target) && mount.target.length >= found.target.length) found = mount;
  return found;
}

/** Whether something is mounted on a resolved path or below it. */
export function holdsMounts(tree: ContainerTree, path: string): boolean {
  return tree.mounts.some(({ target }) => target !== '/' && isWithin(target, path));
}
