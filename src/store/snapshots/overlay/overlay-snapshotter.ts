import type { Readable } from 'node:stream';
import type { Logger } from '#base';
import type { Digest } from '#oci';
import type { Files, Mounts, RootedDir } from '#sys';
import { storeError } from '../../errors.ts';
import type {
  AppliedLayer,
  ApplyLayerOptions,
  FilesystemChange,
  MetadataStore,
  SnapshotOptions,
  Snapshotter,
  StagedLayer,
} from '../../types.ts';
import { ApplyPool } from '../apply/worker-pool.ts';
import { listChanges, measureUsage, type Trees } from './changes.ts';
import { createDiffStream } from './diff.ts';
import { LayerStore } from './layer-store.ts';
import { Layout } from './layout.ts';
import { decodeLayer, decodeSnapshot } from './records.ts';
import { LAYER_COLLECTION, recover, SNAPSHOT_COLLECTION } from './recovery.ts';
import { SnapshotStore } from './snapshot-store.ts';
import { Trash } from './trash.ts';

export interface OverlaySnapshotterOptions {
  /** Made when missing. Container trees are mounted below it. */
  readonly root: string;
  readonly metadata: MetadataStore;
  readonly sys: { readonly mounts: Mounts; readonly files: Files };
  readonly logger: Logger;
  /** Makes the Workers that apply layers; for tests. */
  readonly pool?: ApplyPool;
}

/**
 * The back end of layer directories stacked by overlayfs: docker's `overlay2`. Opening it puts right what a crash left.
 * Mounts of an earlier daemon stay as they are.
 */
export function createOverlaySnapshotter(options: OverlaySnapshotterOptions): Snapshotter {
  return new OverlaySnapshotter(options);
}

class OverlaySnapshotter implements Snapshotter {
  readonly name = 'overlay2';
  readonly #root: string;
  readonly #files: Files;
  readonly #trash: Trash;
  readonly #layers: LayerStore;
  readonly #snapshots: SnapshotStore;

  constructor({ root, metadata, sys, logger, pool = new ApplyPool() }: OverlaySnapshotterOptions) {
    this.#root = root;
    this.#files = sys.files;
    const layout = new Layout(root);
    const layers = metadata.collection(LAYER_COLLECTION, decodeLayer);
    const snapshots = metadata.collection(SNAPSHOT_COLLECTION, decodeSnapshot);
    const trash = new Trash(layout.trash, sys.mounts, logger);
    this.#trash = trash;
    this.#snapshots = new SnapshotStore({
      layout,
      rows: snapshots,
      layers: () => this.#layers,
      trash,
      sys,
    });
    this.#layers = new LayerStore({
      layout,
      rows: layers,
      trash,
      pool,
      isUsed: (chainId) => this.#snapshots.uses(chainId),
    });
    const makeSnapshot = this.#snapshots.remake.bind(this.#snapshots);
    recover({ layout, layers, snapshots, metadata, mounts: sys.mounts, trash, logger, makeSnapshot });
  }

  status(): (readonly [string, string])[] {
    return [
      ['Backing Filesystem', fileSystemName(this.#files.statfs(this.#root).type)],
      ['Supports d_type', 'true'],
      ['Using metacopy', 'false'],
      ['Native Overlay Diff', 'true'],
      ['userxattr', 'false'],
    ];
  }

  applyLayer(options: ApplyLayerOptions): Promise<AppliedLayer> {
    return this.#layers.apply(options);
  }

  stageLayer({ blobPath }: { readonly blobPath: string }): StagedLayer | undefined {
    return this.#layers.stage(blobPath);
  }

  layer(chainId: Digest): (AppliedLayer & { readonly parent: Digest | undefined }) | undefined {
    const record = this.#layers.get(chainId);
    return record && { diffId: record.diffId, sizeBytes: record.sizeBytes, parent: record.parent };
  }

  removeLayer(chainId: Digest): Promise<void> {
    return this.#layers.remove(chainId);
  }

  layers(): Digest[] {
    return this.#layers.list();
  }

  async createSnapshot(
    key: string,
    parent: Digest | undefined,
    options: SnapshotOptions = {},
  ): Promise<void> {
    this.#snapshots.create(key, parent, options);
  }

  mount(key: string): string {
    return this.#snapshots.mount(key);
  }

  unmount(key: string): void {
    this.#snapshots.unmount(key);
  }

  isMounted(key: string): boolean {
    return this.#snapshots.isMounted(key);
  }

  removeSnapshot(key: string): Promise<void> {
    return this.#snapshots.remove(key);
  }

  snapshots(): string[] {
    return this.#snapshots.list();
  }

  describe(key: string): Readonly<Record<string, string>> {
    const lower = this.#snapshots.lowerDirectories(this.#snapshots.record(key));
    const { upper, work, merged } = this.#snapshots.paths(key);
    return {
      ...(lower.length > 0 ? { LowerDir: lower.join(':') } : {}),
      MergedDir: merged,
      UpperDir: upper,
      WorkDir: work,
    };
  }

  async usage(key: string, options: { readonly signal?: AbortSignal } = {}): Promise<number> {
    this.#snapshots.record(key);
    try {
      using upper = this.#files.openRoot(this.#snapshots.paths(key).upper);
      return await measureUsage(upper, options.signal);
    } catch (error) {
      options.signal?.throwIfAborted();
      throw storeError(`measure snapshot '${key}'`, error);
    }
  }

  async changes(key: string): Promise<FilesystemChange[]> {
    using trees = this.#openTrees(key);
    try {
      return await listChanges(trees);
    } catch (error) {
      throw storeError(`compare snapshot '${key}'`, error);
    }
  }

  diff(key: string): Readable {
    this.#snapshots.record(key);
    return createDiffStream(() => this.#openTrees(key));
  }

  settle(): Promise<void> {
    return this.#trash.settle();
  }

  #openTrees(key: string): Trees & Disposable {
    const record = this.#snapshots.record(key);
    const lower = this.#snapshots.lowerDirectories(record);
    using opening = new DisposableStack();
    const open = (path: string): RootedDir => opening.use(this.#files.openRoot(path));
    const trees = {
      upper: open(this.#snapshots.paths(key).upper),
      lower: lower.map(open),
      mappings: record.mappings,
    };
    const roots = opening.move();
    return { ...trees, [Symbol.dispose]: () => roots.dispose() };
  }
}

/** Magic numbers of statfs(2) and docker's names for them. */
const FILE_SYSTEMS: ReadonlyMap<bigint, string> = new Map([
  [0xef53n, 'extfs'],
  [0x58465342n, 'xfs'],
  [0x9123683en, 'btrfs'],
  [0x01021994n, 'tmpfs'],
  [0x794c7630n, 'overlayfs'],
  [0x2fc12fc1n, 'zfs'],
  [0xf2f52010n, 'f2fs'],
]);

const fileSystemName = (type: bigint): string => FILE_SYSTEMS.get(type) ?? '<unknown>';
