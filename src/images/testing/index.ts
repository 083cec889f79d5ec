export {
  type ArchiveImage,
  configFor,
  dockerArchive,
  fileEntry,
  LayoutBuilder,
  layerOf,
  named,
  streamOf,
  tarOf,
} from './archives.ts';
export { createFailingSnapshotter, type FailingSnapshotter } from './fake-snapshotter.ts';
export { createImageFixture, type ImageFixture } from './image-fixture.ts';
