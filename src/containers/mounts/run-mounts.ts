import type { Engine } from '../engine.ts';
import type { Container, MountPoint } from '../model.ts';

type Mounted = Pick<Container, 'id' | 'mounts'>;

/**
 * Mounts what the container's mounts are bound from: volumes with options, images. Idempotent; ended by
 * {@link unmountSources}, also when it fails half-way. @throws docker's texts.
 */
export async function mountSources(
  { volumes, snapshotter }: Pick<Engine, 'volumes' | 'snapshotter'>,
  { id, mounts }: Mounted,
): Promise<void> {
  for (const { type, name } of mounts) if (type === 'volume') await volumes.mount(name, id);
  for (const key of imageKeys(mounts)) snapshotter.mount(key);
}

/** Idempotent. @throws when the kernel refuses. */
export async function unmountSources(
  { volumes, snapshotter }: Pick<Engine, 'volumes' | 'snapshotter'>,
  { id, mounts }: Mounted,
): Promise<void> {
  for (const key of imageKeys(mounts)) snapshotter.unmount(key);
  await volumes.unmountFor(id);
}

/** The keys of the snapshots through which a container sees images. */
export const imageKeys = (mounts: readonly MountPoint[]): string[] =>
  mounts.flatMap(({ image }) => image?.key ?? []);

/** Volumes that are in use by each of the containers. */
export const volumesOf = (containers: readonly Mounted[]): Map<string, string[]> =>
  new Map(
    containers.map(({ id, mounts }) => [
      id,
      mounts.filter(({ type }) => type === 'volume').map(({ name }) => name),
    ]),
  );
