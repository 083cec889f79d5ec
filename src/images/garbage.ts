import { errorMessage, isConflict, KeyedMutex, type Logger } from '#base';
import type { Digest } from '#oci';
import type { BlobInfo, ContentStore, Snapshotter } from '#store';
import type { CatalogEntry, ImageCatalog } from './catalog.ts';

/**
 * Keeps what an operation uses from being collected until disposed. Leases live in memory: an operation does not
 * survive the process either, and the next start collects what it left.
 */
export interface Lease extends Disposable {
  /** Protects blobs, present or about to be written. */
  blobs(...digests: readonly Digest[]): void;
  /** Protects a layer by its chain ID and runs what makes sure that it is there; no removal comes in between. */
  layer<T>(chainId: Digest, action: () => Promise<T>): Promise<T>;
  /** Runs a commit whose digest is not known before, and protects its result before anybody could collect it. */
  commit(action: () => Promise<BlobInfo>): Promise<BlobInfo>;
  /** Ends the protection and removes what it covered, unless an image needs it by now. */
  release(): Promise<void>;
}

export interface Candidates {
  readonly blobs: Iterable<Digest>;
  /** Topmost first: a layer goes only when nothing stands on it. */
  readonly layers: Iterable<Digest>;
}

export interface Reclaimed {
  /** Chain IDs in the order of removal. */
  readonly layers: readonly Digest[];
  readonly blobs: readonly BlobInfo[];
  /** Unpacked bytes of the layers. */
  readonly layersBytes: number;
}

export interface ReclaimerOptions {
  readonly catalog: ImageCatalog;
  readonly content: ContentStore;
  readonly snapshotter: Snapshotter;
  readonly logger: Logger;
  /** Blobs that others keep in the same content store. */
  readonly foreignRoots: () => Iterable<Digest>;
}

const GATE = 'gate';

/** Removes blobs and layers that no image and no lease reaches. */
export class Reclaimer {
  readonly #options: ReclaimerOptions;
  readonly #leases = new Set<{ readonly blobs: Set<Digest>; readonly layers: Set<Digest> }>();
  readonly #gate = new KeyedMutex();

  constructor(options: ReclaimerOptions) {
    this.#options = options;
  }

  lease(): Lease {
    const held = { blobs: new Set<Digest>(), layers: new Set<Digest>() };
    this.#leases.add(held);
    return {
      blobs: (...digests) => digests.forEach((digest) => void held.blobs.add(digest)),
      layer: (chainId, action) => {
        held.layers.add(chainId);
        return this.#gate.run(chainId, action);
      },
      commit: (action) =>
        this.#gate.run(GATE, async () => {
          const info = await action();
          held.blobs.add(info.digest);
          return info;
        }),
      release: async () => {
        this.#leases.delete(held);
        await this.reclaim({ blobs: held.blobs, layers: [...held.layers].reverse() });
      },
      [Symbol.dispose]: () => void this.#leases.delete(held),
    };
  }

  /** Removes those of the candidates that nothing reaches. What cannot be removed now is left for a sweep. */
  async reclaim(candidates: Candidates): Promise<Reclaimed> {
    const layers: Digest[] = [];
    const blobs: BlobInfo[] = [];
    let layersBytes = 0;
    for (const chainId of candidates.layers) {
      const size = this.#options.snapshotter.layer(chainId)?.sizeBytes;
      if (size === undefined || !(await this.#removeLayer(chainId))) continue;
      layers.push(chainId);
      layersBytes += size;
    }
    for (const digest of candidates.blobs) {
      const info = this.#options.content.stat(digest);
      if (info !== undefined && (await this.#removeBlob(digest))) blobs.push(info);
    }
    return { layers, blobs, layersBytes };
  }

  /** {@link reclaim} over everything there is. */
  async sweep(): Promise<Reclaimed> {
    const { content, snapshotter } = this.#options;
    return this.reclaim({
      blobs: content.list().map(({ digest }) => digest),
      layers: topmostFirst(snapshotter),
    });
  }

  #removeLayer(chainId: Digest): Promise<boolean> {
    return this.#gate.run(chainId, async () => {
      if (this.#isLiveLayer(chainId)) return false;
      try {
        await this.#options.snapshotter.removeLayer(chainId);
        return true;
      } catch (error) {
        // A container or another layer stands on it: it goes when they do.
        if (!isConflict(error)) {
          this.#options.logger.warn('layer not removed', { layer: chainId, error: errorMessage(error) });
        }
        return false;
      }
    });
  }

  async #removeBlob(digest: Digest): Promise<boolean> {
    return this.#gate.run(GATE, async () => {
      if (this.#isLiveBlob(digest)) return false;
      await this.#options.content.delete(digest);
      return true;
    });
  }

  #isLiveLayer(chainId: Digest): boolean {
    for (const lease of this.#leases) if (lease.layers.has(chainId)) return true;
    return this.#options.catalog.entries().some(({ chain }) => chain.includes(chainId));
  }

  #isLiveBlob(digest: Digest): boolean {
    for (const lease of this.#leases) if (lease.blobs.has(digest)) return true;
    for (const root of this.#options.foreignRoots()) if (root === digest) return true;
    return this.#options.catalog.entries().some((entry) => blobsOf(entry).includes(digest));
  }
}

/** Every blob an image needs. */
export function blobsOf({ id, document }: CatalogEntry): Digest[] {
  const manifest = document.manifest === undefined ? [] : [document.manifest.digest];
  return [id, ...manifest, ...document.layers.map(({ digest }) => digest)];
}

function topmostFirst(snapshotter: Snapshotter): Digest[] {
  const depthOf = new Map<Digest, number>();
  const depth = (chainId: Digest): number => {
    const path: Digest[] = [];
    let current: Digest | undefined = chainId;
    while (current !== undefined && !depthOf.has(current)) {
      path.push(current);
      current = snapshotter.layer(current)?.parent;
    }
    let level = current === undefined ? 0 : (depthOf.get(current) ?? 0);
    for (const layer of path.reverse()) depthOf.set(layer, ++level);
    return depthOf.get(chainId) ?? 0;
  };
  return snapshotter.layers().sort((one, other) => depth(other) - depth(one));
}
