import type { Digest } from '#oci';
import type { Snapshotter } from '#store';
import type { ImageCatalog } from './catalog.ts';
import type { ImageDiskUsage } from './types.ts';

/** Bytes of all layers, each counted once, and per image what it shares with others. Answers from memory. */
export function imageDiskUsage(catalog: ImageCatalog, snapshotter: Snapshotter): ImageDiskUsage {
  const users = new Map<Digest, number>();
  for (const { chain } of catalog.entries()) {
    for (const chainId of chain) users.set(chainId, (users.get(chainId) ?? 0) + 1);
  }
  const images = catalog.entries().map(({ id, chain, layerSizes }) => ({
    id,
    sharedBytes: chain.reduce(
      (sum, chainId, index) => sum + ((users.get(chainId) ?? 0) > 1 ? (layerSizes[index] ?? 0) : 0),
      0,
    ),
  }));
  const layersBytes = snapshotter
    .layers()
    .reduce((sum, chainId) => sum + (snapshotter.layer(chainId)?.sizeBytes ?? 0), 0);
  return { layersBytes, images };
}
