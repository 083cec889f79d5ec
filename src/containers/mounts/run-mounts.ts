import { posix } from 'node:path';
import { settleAll } from '#base';
import type { Engine } from '../engine.ts';
import type { Container, MountPoint } from '../model.ts';

type Mounted = Pick<Container, 'id' | 'mounts'>;
type Unmounting = Pick<Engine, 'volumes' | 'snapshotter'>;
type Mounting = Unmounting & Pick<Engine, 'instances' | 'sources'>;

/**
 * Mounts what the container's mounts are bound from (volumes with options, images), and waits until all sources answer.
 * Idempotent; ended by {@link unmountSources}, also when it fails half-way. @throws docker's texts.
 */
export async function mountSources(
  { volumes, snapshotter, instances, sources }: Mounting,
  { id, mounts }: Mounted,
): Promise<void> {
  for (const { type, name } of mounts) if (type === 'volume') await volumes.mount(name, id);
  for (const key of imageKeys(mounts)) snapshotter.mount(key);
  await instances.of(id).untilInterrupted((signal) => sources.pass(sourcesOf(mounts), signal));
}

/** Idempotent. @throws as {@link unmountAll}. */
export const unmountSources = (parts: Unmounting, { id, mounts }: Mounted): Promise<void> =>
  unmountAll(parts, id, imageKeys(mounts));

/** Snapshots, and the volumes of a user. What cannot be unmounted does not keep the rest. @throws the first failure. */
export async function unmountAll(
  { volumes, snapshotter }: Unmounting,
  user: string,
  keys: readonly string[],
): Promise<void> {
  const unmounts = keys.map(async (key) => snapshotter.unmount(key));
  await settleAll([...unmounts, volumes.unmountFor(user)]);
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

/** Where the container's mounts come from. */
const sourcesOf = (mounts: readonly MountPoint[]): string[] =>
  mounts.flatMap(({ source, type }) => (type === 'tmpfs' || source === '' ? [] : [source]));

/** {@link sourcesOf} those that a path in the container leads through, links aside. */
export const sourcesAt = (mounts: readonly MountPoint[], path: string): string[] => {
  const absolute = posix.resolve('/', path);
  return sourcesOf(
    mounts.filter(({ destination }) => absolute === destination || absolute.startsWith(`${destination}/`)),
  );
};
