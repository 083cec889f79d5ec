import { hasCode, shortId } from '#base';
import { chainIds, type Digest, type Reference } from '#oci';
import type { ContentStore, Snapshotter } from '#store';
import type { ArchivedImage, ArchivedLayer } from './archive/docker-archive.ts';
import { type Member, storeMember } from './archive/spool.ts';
import type { ImageCatalog, NewImage } from './catalog.ts';
import { damagedLayer, diffIdMismatch } from './errors.ts';
import type { Lease } from './garbage.ts';
import type { OnProgress } from './types.ts';

export interface CreatorOptions {
  readonly catalog: ImageCatalog;
  readonly content: ContentStore;
  readonly snapshotter: Snapshotter;
}

export interface CreateContext {
  readonly lease: Lease;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal | undefined;
  /** Called for each name that another image had until now. */
  readonly onMoved?: (reference: Reference, from: Digest) => void;
}

/** Turns images whose parts are spooled into stored ones: blobs, then layers, then one transaction. */
export class ImageCreator {
  readonly #options: CreatorOptions;

  constructor(options: CreatorOptions) {
    this.#options = options;
  }

  /** Stores all of them, or none. @throws `data_loss` for a layer that is not what its config says. */
  async create(images: readonly ArchivedImage[], context: CreateContext): Promise<void> {
    for (const image of images) await this.#storeBlobs(image, context.lease);
    for (const image of images) await this.#applyLayers(image.layers, context);
    const { catalog } = this.#options;
    for (const { configBlob, references } of images) {
      for (const reference of references) {
        const from = catalog.find(reference)?.id;
        if (from !== undefined && from !== configBlob.digest) context.onMoved?.(reference, from);
      }
    }
    catalog.add(images.map(newImage));
  }

  async #storeBlobs({ configBlob, manifest, layers }: ArchivedImage, lease: Lease): Promise<void> {
    const blobs: Member[] = [configBlob, ...layers.map(({ blob }) => blob)];
    if (manifest) blobs.push(manifest.blob);
    for (const blob of blobs) await storeMember(blob, this.#options.content, lease);
  }

  async #applyLayers(layers: readonly ArchivedLayer[], context: CreateContext): Promise<void> {
    const chain = chainIds(layers.map(({ diffId }) => diffId));
    for (const [index, layer] of layers.entries()) {
      const chainId = chain[index] as Digest;
      context.lease.layer(chainId);
      await this.#applyLayer(layer, index, chain, context);
    }
  }

  async #applyLayer(
    { diffId, blob, descriptor }: ArchivedLayer,
    index: number,
    chain: readonly Digest[],
    { onProgress, signal }: CreateContext,
  ): Promise<void> {
    const { snapshotter, content } = this.#options;
    const chainId = chain[index] as Digest;
    // The digest of a plain layer is its diffID: no need to read it again to see that it is wrong.
    if (isPlain(descriptor.mediaType) && blob.digest !== diffId) {
      throw diffIdMismatch(index, diffId, blob.digest);
    }
    const id = shortId(diffId);
    const total = blob.size;
    const report = snapshotter.layer(chainId) === undefined ? onProgress : undefined;
    report?.({ id, status: 'Loading layer', current: 0, total });
    // Asked also for a layer that is there: it may be on its way out, and then comes back.
    await snapshotter
      .applyLayer({
        chainId,
        parent: chain[index - 1],
        blobPath: content.path(blob.digest),
        blobDigest: blob.digest,
        expectedDiffId: diffId,
        ...(blob.staged === undefined ? {} : { staged: blob.staged }),
        ...(signal === undefined ? {} : { signal }),
      })
      .catch((error: unknown) => {
        throw hasCode(error, 'data_loss') ? damagedLayer(index, error) : error;
      });
    report?.({ id, status: 'Loading layer', current: total, total });
  }
}

const isPlain = (mediaType: string): boolean => mediaType.endsWith('.tar');

function newImage({ configBlob, config, layers, manifest, parent, references }: ArchivedImage): NewImage {
  return {
    id: configBlob.digest,
    config,
    references,
    document: {
      layers: layers.map(({ descriptor }) => descriptor),
      ...(manifest === undefined ? {} : { manifest: manifest.descriptor }),
      ...(parent === undefined ? {} : { parent }),
    },
  };
}
