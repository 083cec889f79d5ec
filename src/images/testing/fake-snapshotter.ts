import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { conflict, dataLoss, notFound, readTar } from '#base';
import type { Digest } from '#oci';
import type { AppliedLayer, Snapshotter } from '#store';
import { decompress } from '../archive/compression.ts';

type Layer = AppliedLayer & { readonly parent: Digest | undefined };

export interface FakeSnapshotter extends Snapshotter {
  /** Chain IDs in the order in which they were applied. */
  readonly applied: Digest[];
  /** Set to make the next `applyLayer` fail. */
  failNext: Error | undefined;
  /** Loses a layer, as a damaged disk does. */
  lose(chainId: Digest): void;
}

/**
 * A {@link Snapshotter} without files: it reads and hashes layer blobs as a real one does and keeps the rules of
 * parents. Container snapshots are only names.
 */
export function createFakeSnapshotter(): FakeSnapshotter {
  const layers = new Map<Digest, Layer>();
  const snapshots = new Map<string, Digest | undefined>();
  const applied: Digest[] = [];
  const fake: FakeSnapshotter = {
    name: 'fake',
    applied,
    failNext: undefined,
    lose: (chainId) => void layers.delete(chainId),
    status: () => [],
    async applyLayer({ chainId, parent, blobPath, expectedDiffId, signal }) {
      const known = layers.get(chainId);
      if (known) return known;
      const failure = fake.failNext;
      fake.failNext = undefined;
      if (failure) throw failure;
      if (parent !== undefined && !layers.has(parent)) throw notFound(`layer ${parent} not found`);
      const found = await readLayer(blobPath);
      signal?.throwIfAborted();
      if (expectedDiffId !== undefined && found.diffId !== expectedDiffId) throw dataLoss('diffID differs');
      layers.set(chainId, { ...found, parent });
      applied.push(chainId);
      return found;
    },
    layer: (chainId) => layers.get(chainId),
    async removeLayer(chainId) {
      const isParent = [...layers.values()].some(({ parent }) => parent === chainId);
      const isInUse = [...snapshots.values()].includes(chainId);
      if (isParent || isInUse) throw conflict(`layer ${chainId} is in use`);
      layers.delete(chainId);
    },
    layers: () => [...layers.keys()],
    async createSnapshot(key, parent) {
      snapshots.set(key, parent);
    },
    mount: (key) => `/nowhere/${key}`,
    unmount: () => {},
    isMounted: () => false,
    async removeSnapshot(key) {
      snapshots.delete(key);
    },
    snapshots: () => [...snapshots.keys()],
    describe: () => ({}),
    usage: async () => 0,
    changes: async () => [],
    diff: () => Readable.from([]),
    settle: async () => {},
  };
  return fake;
}

async function readLayer(path: string): Promise<AppliedLayer> {
  const hasher = new Bun.CryptoHasher('sha256');
  async function* hashed() {
    for await (const chunk of decompress(createReadStream(path))) {
      hasher.update(chunk);
      yield chunk;
    }
  }
  let sizeBytes = 0;
  for await (const { header } of readTar(hashed())) sizeBytes += header.size;
  return { diffId: `sha256:${hasher.digest('hex')}` as Digest, sizeBytes };
}
