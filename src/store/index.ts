export { type ContentStoreOptions, openContentStore } from './content/content-store.ts';
export { type MetadataStoreOptions, openMetadataStore } from './db/metadata-store.ts';
export type {
  AppliedLayer,
  BlobInfo,
  Collection,
  ContentStore,
  FilesystemChange,
  Ingest,
  MetadataStore,
  Snapshotter,
} from './types.ts';
