import { randomUUID } from 'node:crypto';
import { conflict, isConflict, type Logger } from '#base';
import type { Digest } from '#oci';
import type { BlobInfo, ContentStore, Snapshotter } from '../types.ts';

/**
 * Keeps blobs and layers alive while an operation needs them that nothing refers to yet. Take it before looking
 * whether something is there, and dispose it after the row that refers to it is written.
 */
export interface Lease extends Disposable {
  readonly id: string;
  /** Digests of blobs and chain IDs of layers alike. */
  protect(...digests: readonly Digest[]): void;
}

/** Everything that is referred to. Layers below a named one need not be named. */
export interface GarbageRoots {
  readonly blobs: Iterable<Digest>;
  readonly layers: Iterable<Digest>;
}

export interface SweepResult {
  readonly blobs: readonly BlobInfo[];
  readonly layers: readonly Digest[];
}

export interface GarbageCollector {
  /** @throws `conflict` when the id is taken. Default id: a random one. */
  createLease(id?: string): Lease;
  /**
   * Deletes the blobs and layers that are neither reachable nor leased. Layers under a container stay in any case. Safe
   * beside other operations: what is leased at any moment of the sweep survives it. One sweep at a time.
   *
   * Leases are kept in memory only: no operation outlives the process, so after a crash what is not referred to is garbage.
   * @param roots is called once, synchronously, at the moment that counts.
   */
  sweep(roots: () => GarbageRoots): Promise<SweepResult>;
}

export interface GarbageCollectorOptions {
  readonly content: ContentStore;
  readonly snapshotter: Snapshotter;
  readonly logger: Logger;
}

export function createGarbageCollector(options: GarbageCollectorOptions): GarbageCollector {
  return new ReachabilityCollector(options);
}

class ReachabilityCollector implements GarbageCollector {
  readonly #content: ContentStore;
  readonly #snapshotter: Snapshotter;
  readonly #logger: Logger;
  readonly #leases = new Map<string, Set<Digest>>();
  /** What became protected since the running sweep began, also when released again. */
  #protectedMeanwhile: Set<Digest> | undefined;
  #tail: Promise<unknown> = Promise.resolve();

  constructor({ content, snapshotter, logger }: GarbageCollectorOptions) {
    this.#content = content;
    this.#snapshotter = snapshotter;
    this.#logger = logger;
  }

  createLease(id: string = randomUUID()): Lease {
    if (this.#leases.has(id)) throw conflict(`lease '${id}' exists already`);
    const held = new Set<Digest>();
    this.#leases.set(id, held);
    return {
      id,
      protect: (...digests) => {
        for (const digest of digests) {
          held.add(digest);
          this.#protectedMeanwhile?.add(digest);
        }
      },
      [Symbol.dispose]: () => void this.#leases.delete(id),
    };
  }

  sweep(roots: () => GarbageRoots): Promise<SweepResult> {
    const run = this.#tail.then(() => this.#sweep(roots));
    this.#tail = run.catch(() => {});
    return run;
  }

  async #sweep(roots: () => GarbageRoots): Promise<SweepResult> {
    // No await before the candidates are known: what is made later is none of this sweep's business.
    const meanwhile = new Set<Digest>();
    this.#protectedMeanwhile = meanwhile;
    try {
      const { blobs, layers } = roots();
      const leased = [...this.#leases.values()].flatMap((held) => [...held]);
      const keep = { blobs: new Set([...blobs, ...leased]), layers: new Set([...layers, ...leased]) };
      const candidates = { blobs: this.#content.list(), layers: this.#layersTopmostFirst() };
      return {
        layers: await this.#sweepLayers(
          candidates.layers,
          (layer) => keep.layers.has(layer) || meanwhile.has(layer),
        ),
        blobs: await this.#sweepBlobs(
          candidates.blobs,
          (blob) => keep.blobs.has(blob) || meanwhile.has(blob),
        ),
      };
    } finally {
      this.#protectedMeanwhile = undefined;
    }
  }

  async #sweepBlobs(
    candidates: readonly BlobInfo[],
    isKept: (digest: Digest) => boolean,
  ): Promise<BlobInfo[]> {
    const deleted: BlobInfo[] = [];
    for (const blob of candidates) {
      if (isKept(blob.digest)) continue;
      await this.#content.delete(blob.digest);
      deleted.push(blob);
    }
    return deleted;
  }

  /** A layer that something stands on answers with `conflict`, which keeps everything below a kept one. */
  async #sweepLayers(candidates: readonly Digest[], isKept: (chainId: Digest) => boolean): Promise<Digest[]> {
    const deleted: Digest[] = [];
    for (const chainId of candidates) {
      if (isKept(chainId)) continue;
      try {
        await this.#snapshotter.removeLayer(chainId);
        deleted.push(chainId);
      } catch (error) {
        if (!isConflict(error)) throw error;
        this.#logger.debug('layer is in use and stays', { chainId });
      }
    }
    return deleted;
  }

  #layersTopmostFirst(): Digest[] {
    const depths = new Map<Digest, number>();
    const depthOf = (chainId: Digest): number => {
      const parent = this.#snapshotter.layer(chainId)?.parent;
      const depth = depths.get(chainId) ?? (parent === undefined ? 0 : depthOf(parent) + 1);
      depths.set(chainId, depth);
      return depth;
    };
    return this.#snapshotter.layers().sort((a, b) => depthOf(b) - depthOf(a));
  }
}
