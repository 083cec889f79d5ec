export { type ContentStoreOptions, openContentStore } from './content/content-store.ts';
export { LostRows, lostRowsIn } from './db/lost-rows.ts';
export { type MetadataStoreOptions, openMetadataStore } from './db/metadata-store.ts';
export { tryTransaction } from './db/try-transaction.ts';
export { type EventLog, type EventLogOptions, openEventLog } from './events/event-log.ts';
export {
  createGarbageCollector,
  type GarbageCollector,
  type GarbageCollectorOptions,
  type GarbageRoots,
  type Lease,
  type SweepResult,
} from './gc/garbage-collector.ts';
export { LAYER_WORKER_ENTRY } from './snapshots/apply/worker-pool.ts';
export { ZstdFrameScanner } from './snapshots/apply/zstd-frames.ts';
export {
  createOverlaySnapshotter,
  type OverlaySnapshotterOptions,
} from './snapshots/overlay/overlay-snapshotter.ts';
export type {
  AppliedLayer,
  ApplyLayerOptions,
  BlobInfo,
  Collection,
  ContentStore,
  Durability,
  FilesystemChange,
  Ingest,
  MetadataStore,
  Snapshotter,
  StagedLayer,
  WriteOptions,
} from './types.ts';
