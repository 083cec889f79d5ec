import { type Logger, unavailable } from '#base';
import type { Digest } from '#oci';
import type { BlobInfo, ContentStore, GarbageCollector, Snapshotter } from '#store';
import type { CatalogEntry, ImageCatalog } from './catalog.ts';

/** Keeps what an operation uses from being collected until it is released. */
export interface Lease {
  /** Protects blobs, present or about to be written. */
  blobs(...digests: readonly Digest[]): void;
  /** Protects a layer. Take it before asking the snapshotter for the layer. */
  layer(chainId: Digest): void;
  /**
   * Protects a blob whose digest was not known before it was written.
   * @throws `unavailable` when the same content was being removed at that very moment.
   */
  written(info: BlobInfo): BlobInfo;
  /** Runs at the release, before anything is removed. */
  defer(action: () => Promise<void>): void;
  /** Ends the protection and removes what it covered, unless an image needs it by now. */
  release(): Promise<void>;
}

export interface Candidates {
  readonly blobs: Iterable<Digest>;
  readonly layers: Iterable<Digest>;
}

export interface Reclaimed {
  /** Chain IDs, topmost first. */
  readonly layers: readonly Digest[];
  /** Unpacked bytes of the layers. */
  readonly layersBytes: number;
}

export interface ReclaimerOptions {
  readonly catalog: ImageCatalog;
  readonly content: ContentStore;
  readonly snapshotter: Snapshotter;
  readonly garbage: GarbageCollector;
  /** Blobs that other rooms keep in the same content store. */
  readonly foreignRoots: () => Iterable<Digest>;
  readonly logger: Logger;
}

/** Removes blobs and layers that no image and no lease reaches; nothing while the catalog could not be read as a whole. */
export class Reclaimer {
  readonly #options: ReclaimerOptions;

  constructor(options: ReclaimerOptions) {
    this.#options = options;
  }

  lease(): Lease {
    const { content, garbage } = this.#options;
    const lease = garbage.createLease();
    const held = { blobs: new Set<Digest>(), layers: new Set<Digest>() };
    const deferred: (() => Promise<void>)[] = [];
    const blobs = (...digests: readonly Digest[]): void => {
      lease.protect(...digests);
      for (const digest of digests) held.blobs.add(digest);
    };
    return {
      blobs,
      layer: (chainId) => {
        lease.protect(chainId);
        held.layers.add(chainId);
      },
      written: (info) => {
        blobs(info.digest);
        if (content.stat(info.digest) === undefined) {
          throw unavailable(`blob ${info.digest} was removed while it was stored: try again`);
        }
        return info;
      },
      defer: (action) => void deferred.push(action),
      release: async () => {
        for (const action of deferred) await action();
        lease[Symbol.dispose]();
        await this.reclaim(held);
      },
    };
  }

  /** Removes those of the candidates that nothing reaches; what containers stand on is left for a later sweep. */
  reclaim(candidates: Candidates): Promise<Reclaimed> {
    const { content, snapshotter } = this.#options;
    const blobs = new Set(candidates.blobs);
    const layers = new Set(candidates.layers);
    return this.#collect(() => ({
      blobs: content
        .list()
        .map(({ digest }) => digest)
        .filter((digest) => !blobs.has(digest)),
      layers: snapshotter.layers().filter((chainId) => !layers.has(chainId)),
    }));
  }

  /** {@link reclaim} over everything there is. */
  sweep(): Promise<Reclaimed> {
    return this.#collect(() => ({ blobs: [], layers: [] }));
  }

  async #collect(spared: () => { readonly blobs: Digest[]; readonly layers: Digest[] }): Promise<Reclaimed> {
    const { catalog, garbage, snapshotter, foreignRoots, logger } = this.#options;
    if (!(await catalog.readAgain())) {
      logger.warn('no blobs and layers removed: an image that may need them cannot be read now');
      return { layers: [], layersBytes: 0 };
    }
    const sizes = new Map<Digest, number>();
    const { layers } = await garbage.sweep(() => {
      const entries = catalog.entries();
      for (const chainId of snapshotter.layers()) {
        sizes.set(chainId, snapshotter.layer(chainId)?.sizeBytes ?? 0);
      }
      const { blobs, layers: sparedLayers } = spared();
      return {
        blobs: [...blobs, ...foreignRoots(), ...entries.flatMap(blobsOf)],
        layers: [...sparedLayers, ...entries.flatMap(({ chain }) => chain)],
      };
    });
    const layersBytes = layers.reduce((sum, chainId) => sum + (sizes.get(chainId) ?? 0), 0);
    return { layers, layersBytes };
  }
}

/** Every blob an image needs. */
export function blobsOf({ id, document }: CatalogEntry): Digest[] {
  const manifest = document.manifest === undefined ? [] : [document.manifest.digest];
  return [id, ...manifest, ...document.layers.map(({ digest }) => digest)];
}
