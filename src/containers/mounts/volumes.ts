import type { VolumeService } from '#volumes';
import type { MountPoint } from '../model.ts';
import type { PlannedMount } from './plan.ts';

/**
 * Makes the volumes of planned mounts and puts the container's hold on each. What it made or held is undone
 * through `undo` when a later step of the create fails.
 */
export async function bindVolumes(
  planned: readonly PlannedMount[],
  containerId: string,
  volumes: VolumeService,
  undo: AsyncDisposableStack,
): Promise<MountPoint[]> {
  const mounts: MountPoint[] = [];
  for (const mount of planned) {
    mounts.push(mount.type === 'volume' ? await bindVolume(mount, containerId, volumes, undo) : mount);
  }
  return mounts;
}

async function bindVolume(
  planned: PlannedMount,
  containerId: string,
  volumes: VolumeService,
  undo: AsyncDisposableStack,
): Promise<MountPoint> {
  const { volumeLabels, volumeOptions, ...mount } = planned;
  const isNew = mount.name === '' || !volumes.list().some(({ name }) => name === mount.name);
  const volume = await volumes.create({
    ...(mount.name ? { name: mount.name } : {}),
    driver: mount.driver,
    ...(volumeLabels ? { labels: volumeLabels } : {}),
    ...(volumeOptions ? { options: volumeOptions } : {}),
  });
  volumes.hold(volume.name, containerId);
  undo.defer(async () => {
    volumes.release(volume.name, containerId);
    if (isNew && volumes.usersOf(volume.name).length === 0)
      await volumes.remove(volume.name, { force: true });
  });
  return { ...mount, name: volume.name, source: volume.mountpoint };
}

/** Ends the container's holds; with `removeAnonymous` the volumes that only it had go as well. */
export async function releaseVolumes(
  mounts: readonly MountPoint[],
  containerId: string,
  volumes: VolumeService,
  options: { readonly removeAnonymous: boolean },
): Promise<void> {
  for (const { type, name } of mounts) {
    if (type !== 'volume' || name === '') continue;
    volumes.release(name, containerId);
    if (!options.removeAnonymous || volumes.usersOf(name).length > 0) continue;
    const isAnonymous = volumes.list().some((volume) => volume.name === name && volume.anonymous);
    if (isAnonymous) await volumes.remove(name, { force: true });
  }
}
