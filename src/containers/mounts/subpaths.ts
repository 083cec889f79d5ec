import { realpathSync } from 'node:fs';
import { posix } from 'node:path';
import type { FileStat, Files } from '#sys';
import { subpathEscapes, subpathMissing } from '../errors.ts';
import type { MountPoint } from '../model.ts';

/**
 * The place on the host of a part of a volume. Whoever writes to the volume chooses its links: one that leads out of the
 * volume is refused.
 * @throws `invalid_argument` when it leads out, `not_found` when nothing is there.
 */
export function subpathSource({ source, subpath }: Pick<MountPoint, 'source' | 'subpath'>): string {
  const base = realpathSync(source);
  const path = posix.join(base, subpath ?? '');
  let found: string;
  try {
    found = realpathSync(path);
  } catch (error) {
    throw subpathMissing(path, error);
  }
  if (found !== base && !found.startsWith(`${base}/`)) throw subpathEscapes(base, subpath ?? '');
  return found;
}

/**
 * Looks at what a container that waits for its start has got: a link that was put into a volume between
 * {@link subpathSource} and the runtime's mount has given it something else than a part of the volume.
 * @throws `invalid_argument` then; the container must not start.
 */
export function checkSubpaths(
  files: Pick<Files, 'openRoot'>,
  pid: number,
  mounts: readonly MountPoint[],
): void {
  const parts = mounts.filter(({ subpath }) => subpath !== undefined);
  if (parts.length === 0) return;
  using inside = files.openRoot(`/proc/${pid}/root`);
  for (const { source, subpath = '', destination } of parts) {
    using volume = files.openRoot(realpathSync(source));
    const wanted = volume.statFollow(subpath);
    const got = inside.statFollow(destination);
    if (!wanted || !got || !isSame(wanted, got)) throw subpathEscapes(source, subpath);
  }
}

const isSame = (a: FileStat, b: FileStat): boolean =>
  a.ino === b.ino && a.dev.major === b.dev.major && a.dev.minor === b.dev.minor;
