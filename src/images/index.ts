export { applyChanges } from './changes/apply.ts';
export { platformOfImage, requirePlatform, runsOn } from './platform.ts';
export { createImageService, type ImageServiceOptions } from './service.ts';
export type {
  BootstrapKind,
  BootstrapOptions,
  CreateFromLayerOptions,
  ImageDeletion,
  ImageDiskUsage,
  ImageFilters,
  ImageHistoryEntry,
  ImageProgress,
  ImageService,
  ImageUsers,
  ImportOptions,
  LoadedImage,
  OnProgress,
  StoredImage,
} from './types.ts';
