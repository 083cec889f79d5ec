export { type ContentStoreFixture, contentStoreSuite } from './content-suite.ts';
export {
  createFakeSnapshotter,
  type FakeSnapshotter,
  type FakeSnapshotterOptions,
} from './fake-snapshotter.ts';
export { createMemoryMetadataStore } from './memory-metadata-store.ts';
export { createTemporaryContentStore } from './temporary-content-store.ts';
