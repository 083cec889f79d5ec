import { Readable } from 'node:stream';
import { conflict, createTarStream, dataLoss, invalidArgument, notFound, TarParser } from '#base';
import type { Digest } from '#oci';
import { decompressFile } from '../snapshots/apply/decompress.ts';
import { isSnapshotKey } from '../snapshots/overlay/records.ts';
import type { AppliedLayer, ApplyLayerOptions, FilesystemChange, Snapshotter } from '../types.ts';

export interface FakeSnapshotter extends Snapshotter {
  /** What `changes` and `diff` shall say of a snapshot. Default: nothing changed. */
  setChanges(key: string, changes: readonly FilesystemChange[], layerTar?: Uint8Array): void;
  /** What `usage` shall say, in bytes. Default 0. */
  setUsage(key: string, bytes: number): void;
  /** Makes `mount` throw for every key, or works again with undefined. */
  failMount(error: Error | undefined): void;
}

interface FakeSnapshot {
  readonly parent: Digest | undefined;
  isMounted: boolean;
  usage: number;
  changes: readonly FilesystemChange[];
  layerTar: Uint8Array | undefined;
}

export interface FakeSnapshotterOptions {
  /** Path that `mount` answers. Default `/fake/KEY/merged`; nothing exists there. */
  readonly mountPath?: (key: string) => string;
}

/**
 * A {@link Snapshotter} in memory, for tests of other rooms without root. It reads blobs for their diffID and sizes and
 * refuses what is no archive, but unpacks and mounts nothing.
 */
export function createFakeSnapshotter(options: FakeSnapshotterOptions = {}): FakeSnapshotter {
  return new MemorySnapshotter(options.mountPath ?? ((key) => `/fake/${key}/merged`));
}

class MemorySnapshotter implements FakeSnapshotter {
  readonly name = 'fake';
  readonly #layers = new Map<Digest, AppliedLayer & { readonly parent: Digest | undefined }>();
  readonly #snapshots = new Map<string, FakeSnapshot>();
  readonly #mountPath: (key: string) => string;
  #mountError: Error | undefined;

  constructor(mountPath: (key: string) => string) {
    this.#mountPath = mountPath;
  }

  status(): (readonly [string, string])[] {
    return [['Backing Filesystem', 'memory']];
  }

  async applyLayer(options: ApplyLayerOptions): Promise<AppliedLayer> {
    const existing = this.#layers.get(options.chainId);
    if (existing) return { diffId: existing.diffId, sizeBytes: existing.sizeBytes };
    const { parent, expectedDiffId } = options;
    if (parent !== undefined && !this.#layers.has(parent)) throw notFound(`parent layer ${parent} not found`);
    options.signal?.throwIfAborted();
    const applied = await readLayer(options.blobPath);
    if (expectedDiffId !== undefined && expectedDiffId !== applied.diffId)
      throw dataLoss(`layer content does not match: expected ${expectedDiffId}, got ${applied.diffId}`);
    this.#layers.set(options.chainId, { ...applied, parent });
    return applied;
  }

  layer(chainId: Digest): (AppliedLayer & { readonly parent: Digest | undefined }) | undefined {
    return this.#layers.get(chainId);
  }

  async removeLayer(chainId: Digest): Promise<void> {
    const users = [...this.#layers.values(), ...this.#snapshots.values()];
    if (users.some(({ parent }) => parent === chainId)) throw conflict(`layer ${chainId} is in use`);
    this.#layers.delete(chainId);
  }

  layers(): Digest[] {
    return [...this.#layers.keys()];
  }

  async createSnapshot(key: string, parent: Digest | undefined): Promise<void> {
    if (!isSnapshotKey(key)) throw invalidArgument(`invalid snapshot key ${JSON.stringify(key)}`);
    if (this.#snapshots.has(key)) throw conflict(`snapshot '${key}' exists already`);
    if (parent !== undefined && !this.#layers.has(parent)) throw notFound(`layer ${parent} not found`);
    this.#snapshots.set(key, { parent, isMounted: false, usage: 0, changes: [], layerTar: undefined });
  }

  mount(key: string): string {
    const snapshot = this.#get(key);
    if (this.#mountError) throw this.#mountError;
    snapshot.isMounted = true;
    return this.#mountPath(key);
  }

  unmount(key: string): void {
    const snapshot = this.#snapshots.get(key);
    if (snapshot) snapshot.isMounted = false;
  }

  isMounted(key: string): boolean {
    return this.#snapshots.get(key)?.isMounted ?? false;
  }

  async removeSnapshot(key: string): Promise<void> {
    this.#snapshots.delete(key);
  }

  snapshots(): string[] {
    return [...this.#snapshots.keys()].sort();
  }

  describe(key: string): Readonly<Record<string, string>> {
    this.#get(key);
    return { MergedDir: this.#mountPath(key) };
  }

  async usage(key: string): Promise<number> {
    return this.#get(key).usage;
  }

  async changes(key: string): Promise<FilesystemChange[]> {
    return [...this.#get(key).changes];
  }

  diff(key: string): Readable {
    const { layerTar } = this.#get(key);
    return layerTar ? Readable.from([layerTar]) : createTarStream([]);
  }

  async settle(): Promise<void> {}

  setChanges(key: string, changes: readonly FilesystemChange[], layerTar?: Uint8Array): void {
    Object.assign(this.#get(key), { changes, layerTar });
  }

  setUsage(key: string, bytes: number): void {
    this.#get(key).usage = bytes;
  }

  failMount(error: Error | undefined): void {
    this.#mountError = error;
  }

  #get(key: string): FakeSnapshot {
    const snapshot = this.#snapshots.get(key);
    if (!snapshot) throw notFound(`snapshot '${key}' not found`);
    return snapshot;
  }
}

async function readLayer(blobPath: string): Promise<AppliedLayer> {
  let sizeBytes = 0;
  const parser = new TarParser({
    entry: ({ size }) => {
      sizeBytes += size;
    },
    data: () => {},
    end: () => {},
  });
  const hasher = new Bun.CryptoHasher('sha256');
  await decompressFile(blobPath, (chunk) => {
    hasher.update(chunk);
    parser.push(chunk);
  });
  parser.finish();
  return { diffId: `sha256:${hasher.digest('hex')}` as Digest, sizeBytes };
}
