import { cliError } from '../../core/errors.ts';
import { assertsDirectory, splitPath } from './names.ts';

export interface CopySource {
  /** Absolute, as it is read. */
  readonly path: string;
  readonly isDirectory: boolean;
  /** The name it keeps when a link led to `path`. */
  readonly name?: string | undefined;
}

export interface CopyDestination {
  /** Absolute, links at the end followed. */
  readonly path: string;
  readonly kind: 'missing' | 'directory' | 'file';
}

/** Where the archive of a source is unpacked, and how its first component is renamed. */
export interface CopyPlan {
  readonly directory: string;
  readonly from: string;
  readonly to: string;
}

/**
 * Decides as docker's `cp` does: into an existing directory under the source's name, else as the destination itself.
 * @throws when the kinds of the two sides do not fit. Source: moby/go-archive, PrepareArchiveCopy.
 */
export function planCopy(source: CopySource, destination: CopyDestination): CopyPlan {
  const from = splitPath(source.path).base;
  const { directory, base } = splitPath(destination.path);
  if (destination.kind === 'directory') return { directory: destination.path, from, to: source.name ?? from };
  if (destination.kind === 'file' && source.isDirectory) throw cliError('cannot copy directory');
  if (destination.kind === 'missing' && !source.isDirectory && assertsDirectory(destination.path))
    throw cliError('no such directory');
  // A new directory may be written as `/a/.`, too.
  if (base === '.') return { ...splitPath(directory), from, to: splitPath(directory).base };
  return { directory, from, to: base };
}

/**
 * A member's name in the new place.
 * @throws when it is not part of the source: an engine sends nothing else, and a name of another file of the
 * destination's directory must not get through.
 */
export function renameMember(path: string, { from, to }: Pick<CopyPlan, 'from' | 'to'>): string {
  const inner = innerPath(path, from);
  if (inner === undefined) throw cliError(`unexpected name ${JSON.stringify(path)} in the archive`);
  if (inner === '') return to;
  return to === '' ? inner : `${to}/${inner}`;
}

/** What is below `base`; empty for itself, undefined for something else. */
function innerPath(path: string, base: string): string | undefined {
  const name = path.replace(/\/+$/, '');
  if (base === '' || base === '.') return name.replace(/^(\.?\/+)+/, '').replace(/^\.$/, '');
  if (name === base) return '';
  return name.startsWith(`${base}/`) ? name.slice(base.length + 1) : undefined;
}
