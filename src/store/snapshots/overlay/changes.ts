import { errnoCode } from '#base';
import { type IdMappings, OVERFLOW_ID, toContainerId } from '#oci';
import { type FileStat, type RootedDir, S_IFMT, S_IFSOCK } from '#sys';
import type { FilesystemChange } from '../../types.ts';
import { lookupEntry } from '../layer-chain.ts';
import { isDirectory, isOpaque, isWhiteout } from '../overlay-marks.ts';

export interface Trees {
  readonly upper: RootedDir;
  /** Topmost first. */
  readonly lower: readonly RootedDir[];
  /** The upper tree has the host's IDs of this user namespace, the lower ones the image's. */
  readonly mappings?: IdMappings | undefined;
}

/** One difference of the upper tree, in walking order: a directory before what is in it. */
export interface UpperEntry {
  readonly path: string;
  readonly kind: FilesystemChange['kind'];
  /** Undefined for what was deleted. */
  readonly stat: FileStat | undefined;
  /**
   * - `opaque`: a directory that hides all the lower layers have there
   * - `unchanged`: a directory that is only here because of what is in it
   * - `implied`: deleted by an opaque directory, not by a mark of its own
   */
  readonly note?: 'opaque' | 'unchanged' | 'implied';
}

/**
 * Walks the upper tree and compares it with the lower ones. Never follows a symlink; sockets, entries that vanish
 * meanwhile and paths longer than the kernel takes are passed over.
 */
export function walkUpper(trees: Trees): Generator<UpperEntry> {
  return walkDirectory({ ...trees, isHidden: false }, '');
}

interface Level extends Trees {
  /** An opaque directory on the way up hides the lower layers here. */
  readonly isHidden: boolean;
}

function* walkDirectory(level: Level, dir: string): Generator<UpperEntry> {
  for (const name of listing(level.upper, dir)) {
    const path = dir === '' ? name : `${dir}/${name}`;
    const stat = unmapped(
      tolerant(() => level.upper.stat(path)),
      level.mappings,
    );
    if (stat && (stat.mode & S_IFMT) !== S_IFSOCK) yield* walkEntry(level, path, stat);
  }
}

function unmapped(stat: FileStat | undefined, mappings: IdMappings | undefined): FileStat | undefined {
  if (!stat || !mappings) return stat;
  return {
    ...stat,
    uid: toContainerId(stat.uid, mappings.uids) ?? OVERFLOW_ID,
    gid: toContainerId(stat.gid, mappings.gids) ?? OVERFLOW_ID,
  };
}

function* walkEntry(level: Level, path: string, stat: FileStat): Generator<UpperEntry> {
  const { upper, lower, mappings, isHidden } = level;
  const below = lookupEntry(lower, path);
  const kind = below ? 'modified' : 'added';
  if (isWhiteout(stat)) {
    if (below && !isHidden) yield { path, kind: 'deleted', stat: undefined };
  } else if (!isDirectory(stat)) {
    yield { path, kind, stat };
  } else if (below && (isHidden || isOpaque(upper, path))) {
    yield { path, kind, stat, ...(isHidden ? {} : { note: 'opaque' }) };
    yield* hiddenChildren(upper, below.merged, path);
    yield* walkDirectory({ upper, lower: below.merged, mappings, isHidden: true }, path);
  } else {
    yield { path, kind, stat, ...noteOf(stat, below?.stat) };
    yield* walkDirectory({ upper, lower: below?.merged ?? [], mappings, isHidden }, path);
  }
}

/** What an opaque directory took away from the lower ones and did not bring itself. */
function* hiddenChildren(upper: RootedDir, lower: readonly RootedDir[], dir: string): Generator<UpperEntry> {
  const names = new Set(lower.flatMap((root) => root.list(dir)));
  for (const name of [...names].sort()) {
    const path = `${dir}/${name}`;
    const own = upper.stat(path);
    if (lookupEntry(lower, path) && (!own || isWhiteout(own)))
      yield { path, kind: 'deleted', stat: undefined, note: 'implied' };
  }
}

function listing(root: RootedDir, dir: string): string[] {
  return tolerant(() => root.list(dir).sort()) ?? [];
}

/** Gone meanwhile, replaced by something else, or deeper than a path can say. */
function tolerant<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'].includes(errnoCode(error) ?? '')) return undefined;
    throw error;
  }
}

/** A directory that was only copied up looks the same. */
function noteOf(own: FileStat, below: FileStat | undefined): { readonly note?: 'unchanged' } {
  const keys = ['mode', 'uid', 'gid', 'mtimeNs'] as const;
  return below && keys.every((key) => own[key] === below[key]) ? { note: 'unchanged' } : {};
}

const YIELD_EVERY = 500;

/** Runs through a generator without holding up the event loop. */
export async function* politely<T>(items: Iterable<T>, signal?: AbortSignal): AsyncGenerator<T> {
  let count = 0;
  for (const item of items) {
    if (++count % YIELD_EVERY === 0) await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
    yield item;
  }
}

/**
 * The differences as `docker diff` shows them, sorted by path. A directory counts as modified when something below it
 * has changed.
 */
export async function listChanges(trees: Trees): Promise<FilesystemChange[]> {
  const kinds = new Map<string, FilesystemChange['kind']>();
  for await (const { path, kind, note } of politely(walkUpper(trees))) {
    if (note === 'unchanged') continue;
    kinds.set(`/${path}`, kind);
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const parent = `/${path.slice(0, end)}`;
      if (kinds.has(parent)) break;
      kinds.set(parent, 'modified');
    }
  }
  return [...kinds].map(([path, kind]) => ({ path, kind })).sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Bytes of the files in the upper tree; a file with several names counts once. */
export async function measureUsage(upper: RootedDir, signal?: AbortSignal): Promise<number> {
  const seen = new Set<bigint>();
  let total = 0n;
  for await (const { stat } of politely(walkUpper({ upper, lower: [] }), signal)) {
    if (!stat || isDirectory(stat)) continue;
    if (stat.nlink > 1 && seen.has(stat.ino)) continue;
    if (stat.nlink > 1) seen.add(stat.ino);
    total += stat.size;
  }
  return Number(total);
}
