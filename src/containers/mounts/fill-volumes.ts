import { errorMessage, internal } from '#base';
import { S_IFDIR, S_IFMT } from '#sys';
import type { Engine } from '../engine.ts';
import type { Container } from '../model.ts';
import { copyUp, hasLeftovers, isFilled, settleCopyUp } from './copy-up.ts';
import { unmountAll } from './run-mounts.ts';

/**
 * Fills the empty volumes of a container that is being made with what its image has in their place, as docker does at
 * create. Not parts of volumes, nor what the user wants left alone. Only then is the container's snapshot mounted.
 * @throws when there is no room, for example; then the volume is as empty as before.
 */
export async function fillVolumes(
  { snapshotter, volumes, locks, sys }: Pick<Engine, 'snapshotter' | 'volumes' | 'locks' | 'sys'>,
  { id, mounts }: Pick<Container, 'id' | 'mounts'>,
): Promise<void> {
  const unfilled = mounts.filter(
    ({ type, noCopy, subpath, source }) => type === 'volume' && !noCopy && !subpath && !isFilled(source),
  );
  if (unfilled.length === 0) return;
  const rootfs = snapshotter.mount(id);
  try {
    for (const { name, source, destination } of unfilled) {
      if (!hasLeftovers(source) && !hasDirectory(sys, rootfs, destination)) continue;
      // Other containers may be made or filled on the same volume at this moment.
      await locks.run(`volume ${name}`, async () => {
        await volumes.mount(name, id);
        await copyUp(sys, rootfs, destination, source).catch((error) => {
          throw internal(`cannot fill volume "${name}": ${errorMessage(error)}`, { cause: error });
        });
      });
    }
  } finally {
    await unmountAll({ snapshotter, volumes }, id, [id]);
  }
}

/**
 * Ends what a crash left of fillings, before anything uses the volumes. Not in volumes with options: they are not mounted
 * yet, and the next filling ends it there. One that fails is logged.
 */
export function settleVolumes({ volumes, sys, logger }: Pick<Engine, 'volumes' | 'sys' | 'logger'>): void {
  for (const { name, mountpoint, options } of volumes.list()) {
    if (Object.keys(options).length > 0) continue;
    try {
      settleCopyUp(sys, mountpoint);
    } catch (error) {
      logger.warn('what is left of a filling stays in a volume', {
        volume: name,
        error: errorMessage(error),
      });
    }
  }
}

/** A volume with options is not mounted, which may fail or take long, where there is nothing to fill it with. */
function hasDirectory(sys: Engine['sys'], rootfs: string, path: string): boolean {
  using root = sys.files.openRoot(rootfs);
  return ((root.statFollow(path)?.mode ?? 0) & S_IFMT) === S_IFDIR;
}
