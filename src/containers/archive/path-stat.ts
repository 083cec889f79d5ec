import { type FileStat, S_IFDIR, S_IFLNK, S_IFMT } from '#sys';
import { fileNotFound, notADirectory } from './errors.ts';
import { goFileMode } from './file-mode.ts';
import { assertsDirectory, lastComponent, withoutAssertion } from './names.ts';
import { type ContainerTree, lstat, resolveLoosely } from './tree.ts';

/** What HEAD and GET archive say about the path. Source: Engine API, header `X-Docker-Container-Path-Stat`. */
export interface PathStat {
  /** Last component of the path as asked for: `/` for the root, `.` where the path ends so. */
  readonly name: string;
  /** Bytes; of a link the length of its target. */
  readonly size: number;
  /** Go's `os.FileMode`. */
  readonly mode: number;
  /** Nanoseconds since the epoch. */
  readonly mtimeNs: bigint;
  /** Where a symbolic link leads in the end, as far as there is something; else empty. Absolute in the container. */
  readonly linkTarget: string;
}

export interface Found {
  readonly stat: FileStat;
  /** Absolute; without links when it is a directory. */
  readonly path: string;
  readonly isDirectory: boolean;
}

/**
 * Looks up a path. A link at the end is not followed, except where the path says that it means a directory.
 * @throws `not_found`, `invalid_argument` (not a directory).
 */
export function find(tree: ContainerTree, path: string, container: string): Found {
  const mustBeDirectory = assertsDirectory(path);
  const entry = lstat(tree, withoutAssertion(path));
  if (!entry) throw fileNotFound(path, container);
  if (!mustBeDirectory && !isDirectory(entry)) return { stat: entry, path, isDirectory: false };
  const resolved = tree.resolve(withoutAssertion(path));
  const stat = lstat(tree, resolved);
  if (!stat) throw fileNotFound(path, container);
  if (!isDirectory(stat)) throw notADirectory(path);
  return { stat, path: resolved, isDirectory: true };
}

export function pathStat(tree: ContainerTree, path: string, { stat }: Pick<Found, 'stat'>): PathStat {
  const isLink = (stat.mode & S_IFMT) === S_IFLNK;
  return {
    name: lastComponent(path),
    size: Number(stat.size),
    mode: goFileMode(stat.mode),
    mtimeNs: stat.mtimeNs,
    linkTarget: isLink ? resolveLoosely(tree, path) : '',
  };
}

export const isDirectory = (stat: FileStat): boolean => (stat.mode & S_IFMT) === S_IFDIR;
