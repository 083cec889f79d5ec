export {
  character,
  directory,
  file,
  hardlink,
  layerTar,
  paxHeader,
  paxRecord,
  symlink,
  tamperedHeader,
} from './archives.ts';
export { type ContentStoreFixture, contentStoreSuite } from './content-suite.ts';
export {
  createFakeSnapshotter,
  type FakeSnapshotter,
  type FakeSnapshotterOptions,
} from './fake-snapshotter.ts';
export { HOSTILE_ARCHIVES, type HostileArchive } from './hostile-archives.ts';
export { createMemoryMetadataStore } from './memory-metadata-store.ts';
export { type SnapshotterFixture, snapshotterSuite } from './snapshotter-suite.ts';
export { createTemporaryContentStore } from './temporary-content-store.ts';
