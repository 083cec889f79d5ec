import type { FileStat, RootedDir } from '#sys';
import { isDirectory, isOpaque, isWhiteout } from './overlay-marks.ts';

/** One path as the union of some layers shows it. */
export interface MergedEntry {
  /** The topmost layer that has it. */
  readonly root: RootedDir;
  readonly stat: FileStat;
  /** For a directory: the layers whose directories merge into it, topmost first. */
  readonly merged: readonly RootedDir[];
}

/**
 * What one directory entry looks like through `layers` (topmost first), all of which have the parent directory
 * as a directory. Undefined when none has it or a whiteout hides it.
 */
export function lookupEntry(layers: readonly RootedDir[], path: string): MergedEntry | undefined {
  let found: { readonly root: RootedDir; readonly stat: FileStat } | undefined;
  const merged: RootedDir[] = [];
  for (const root of layers) {
    const stat = root.stat(path);
    if (!stat) continue;
    if (isWhiteout(stat)) break;
    if (!isDirectory(stat)) {
      found ??= { root, stat };
      break;
    }
    found ??= { root, stat };
    merged.push(root);
    if (isOpaque(root, path)) break;
  }
  return found && { ...found, merged };
}

/** Finds a cleaned path in the union of `layers` (topmost first). Symlinks are not followed. */
export function lookupPath(layers: readonly RootedDir[], path: string): MergedEntry | undefined {
  let entry = lookupEntry(layers, '');
  let prefix = '';
  for (const component of path === '' ? [] : path.split('/')) {
    if (!entry) return undefined;
    prefix = prefix === '' ? component : `${prefix}/${component}`;
    entry = lookupEntry(entry.merged, prefix);
  }
  return entry;
}
