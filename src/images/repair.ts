import { dataLoss, errorMessage, type Logger } from '#base';
import type { Digest } from '#oci';
import type { ContentStore, Snapshotter } from '#store';
import type { CatalogEntry, ImageCatalog } from './catalog.ts';

export interface RepairOptions {
  readonly catalog: ImageCatalog;
  readonly content: ContentStore;
  readonly snapshotter: Snapshotter;
  readonly logger: Logger;
}

/**
 * Puts back layers that images need and the snapshotter has lost, from the blobs that are kept. An image whose
 * layers cannot be put back stays listed, so that loading it again heals it, and is reported.
 */
export async function repairImages(options: RepairOptions): Promise<void> {
  for (const entry of options.catalog.entries()) {
    if (entry.chain.every((chainId) => options.snapshotter.layer(chainId))) continue;
    try {
      await repairLayers(entry, options);
      options.catalog.refresh(entry.id);
      options.logger.warn('lost layers of an image put back', { image: entry.id });
    } catch (error) {
      options.logger.error('image is incomplete: load or pull it again', {
        image: entry.id,
        error: errorMessage(error),
      });
    }
  }
}

async function repairLayers(entry: CatalogEntry, { content, snapshotter }: RepairOptions): Promise<void> {
  for (const [index, chainId] of entry.chain.entries()) {
    if (snapshotter.layer(chainId)) continue;
    const digest = entry.document.layers[index]?.digest as Digest;
    // What lost a layer may have damaged the blob as well.
    if (!(await content.verify(digest))) throw dataLoss(`layer blob ${digest} is missing or damaged`);
    await snapshotter.applyLayer({
      chainId,
      parent: entry.chain[index - 1],
      blobPath: content.path(digest),
      blobDigest: digest,
      expectedDiffId: entry.config.rootfs.diff_ids[index] as Digest,
    });
  }
}
