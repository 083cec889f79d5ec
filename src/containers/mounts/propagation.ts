import { realpathSync } from 'node:fs';
import { internal, invalidArgument } from '#base';
import type { MountInfo } from '#sys';
import type { MountPoint } from '../model.ts';

/** What lets mounts of our own end although a container sees them. */
const HARMLESS: readonly string[] = ['rslave', 'rshared'];

const holds = (outer: string, inner: string): boolean =>
  outer === inner || inner.startsWith(outer === '/' ? '/' : `${outer}/`);

/** Whether a bind of `source` takes mounts below the data root along, or is one of them. */
const reachesDataRoot = (source: string, dataRoot: string): boolean =>
  holds(source, dataRoot) || holds(dataRoot, source);

/**
 * How a bind of `source` passes mounts on. A private copy of what we mount below the data root would keep it mounted for
 * as long as the container runs, so such a bind follows the host unless the user says otherwise.
 * @throws `invalid_argument` with docker's text for a private one.
 */
export function bindPropagation(
  source: string,
  given: string,
  dataRoot: string,
): Pick<MountPoint, 'propagation' | 'impliedPropagation'> {
  if (!reachesDataRoot(source, dataRoot)) return { propagation: given || 'rprivate' };
  if (given === '') return { propagation: 'rslave', impliedPropagation: true };
  if (HARMLESS.includes(given)) return { propagation: given };
  throw invalidArgument(
    `invalid mount config: must use either propagation mode "rslave" or "rshared" when mount source is within the daemon root, daemon root: ${JSON.stringify(dataRoot)}, bind mount source: ${JSON.stringify(source)}, propagation: ${JSON.stringify(given)}`,
  );
}

/**
 * The propagation that the host allows for a bind of `source`.
 * @throws `internal` with docker's text where the host's mount is private and the user wants it otherwise.
 */
export function allowedPropagation(
  { propagation, impliedPropagation }: Pick<MountPoint, 'propagation' | 'impliedPropagation'>,
  source: string,
  hostMounts: () => readonly MountInfo[],
): string {
  const wanted = propagation.replace(/^r(?=shared|slave)/, '');
  if (wanted !== 'shared' && wanted !== 'slave') return propagation || 'rprivate';
  const path = realpathSync(source);
  const mount = mountOf(path, hostMounts());
  const isOf = (kind: string) => mount?.propagation.some((tag) => tag.startsWith(`${kind}:`)) ?? false;
  if (isOf('shared') || (wanted === 'slave' && isOf('master'))) return propagation;
  if (impliedPropagation) return 'rprivate';
  const needed = wanted === 'shared' ? 'shared' : 'shared or slave';
  throw internal(`path ${source} is mounted on ${mount?.target ?? '/'} but it is not a ${needed} mount`);
}

/** The innermost mount that has `path`; of several at one place the last, which covers the others. */
function mountOf(path: string, mounts: readonly MountInfo[]): MountInfo | undefined {
  return mounts
    .filter(({ target }) => holds(target, path))
    .reduce<MountInfo | undefined>(
      (best, mount) => (best && best.target.length > mount.target.length ? best : mount),
      undefined,
    );
}
