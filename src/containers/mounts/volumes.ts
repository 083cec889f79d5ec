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
  // Before it is made or found, so that no prune takes it in between. One without a name cannot be known to a prune by then.
  if (mount.name) holdVolume(mount.name, containerId, volumes, undo);
  const volume = await volumes.create({
    ...(mount.name ? { name: mount.name } : {}),
    driver: mount.driver,
    ...(volumeLabels ? { labels: volumeLabels } : {}),
    ...(volumeOptions ? { options: volumeOptions } : {}),
  });
  if (!mount.name) holdVolume(volume.name, containerId, volumes, undo);
  if (isNew) undo.defer(() => discardUnheld(volume.name, containerId, volumes));
  return { ...mount, name: volume.name, source: volume.mountpoint };
}

function holdVolume(
  name: string,
  containerId: string,
  volumes: VolumeService,
  undo: AsyncDisposableStack,
): void {
  volumes.hold(name, containerId);
  undo.defer(() => volumes.release(name, containerId));
}

async function discardUnheld(name: string, containerId: string, volumes: VolumeService): Promise<void> {
  volumes.release(name, containerId);
  if (volumes.usersOf(name).length === 0) await volumes.remove(name, { force: true });
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
