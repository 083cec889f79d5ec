import type { StoredImage } from '#images';
import type { Snapshotter } from '#store';
import type { Engine } from '../engine.ts';
import type { MountPoint } from '../model.ts';

export interface ImageMountContext extends Pick<Engine, 'snapshotter'> {
  /** The container's. */
  readonly id: string;
  /** Who the files belong to, as in the container's own tree. */
  readonly tree: Parameters<Snapshotter['createSnapshot']>[2];
  readonly imageOf: (ref: string) => Pick<StoredImage, 'id' | 'chainId'>;
}

/**
 * Gives each mount of an image a tree of its own on the image's layers, which nothing ever writes to: whatever becomes of the
 * image's names, its layers stay as long as the container. What it made is undone through `undo`.
 * @throws what `imageOf` throws.
 */
export async function bindImages<Planned extends MountPoint>(
  planned: readonly Planned[],
  { id, tree, imageOf, snapshotter }: ImageMountContext,
  undo: AsyncDisposableStack,
): Promise<Planned[]> {
  const mounts: Planned[] = [];
  for (const [at, mount] of planned.entries()) {
    if (mount.type !== 'image') {
      mounts.push(mount);
      continue;
    }
    const image = imageOf(mount.image?.id ?? mount.name);
    const key = `${id}-image-${at}`;
    undo.defer(() => snapshotter.removeSnapshot(key));
    await snapshotter.createSnapshot(key, image.chainId, tree);
    mounts.push({
      ...mount,
      source: snapshotter.describe(key)['MergedDir'] ?? '',
      image: { id: image.id, key },
    });
  }
  return mounts;
}
