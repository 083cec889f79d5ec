import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEventBus, silentLogger } from '#base';
import { createImageService, type ImageService } from '#images';
import {
  type ContentStore,
  createOverlaySnapshotter,
  type MetadataStore,
  openContentStore,
  openMetadataStore,
  type Snapshotter,
} from '#store';
import { createSys } from '#sys';

export const isRoot = process.getuid?.() === 0;

export interface OpenStores extends Disposable {
  readonly images: ImageService;
  readonly content: ContentStore;
  readonly snapshotter: Snapshotter;
  readonly metadata: MetadataStore;
}

/** Everything a daemon opens for its images, in one directory. */
export async function openStores(root: string): Promise<OpenStores> {
  const logger = silentLogger;
  const metadata = openMetadataStore({ path: join(root, 'metadata.db'), logger });
  const content = openContentStore({ root: join(root, 'content'), logger });
  const overlay = { root: join(root, 'overlay'), metadata, sys: createSys(), logger };
  const snapshotter = createOverlaySnapshotter(overlay);
  const images = await createImageService({
    metadata,
    content,
    snapshotter,
    events: createEventBus(),
    logger,
  });
  return { images, content, snapshotter, metadata, [Symbol.dispose]: () => metadata[Symbol.dispose]() };
}

/** A directory that goes with its content when disposed. */
export function temporaryRoot(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'gantry-test-images-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Mounts a writable tree on an image for the time of `action`. */
export async function withTree<T>(
  { snapshotter, images }: OpenStores,
  image: string,
  action: (root: string) => T | Promise<T>,
): Promise<T> {
  const key = `test-${crypto.randomUUID()}`;
  await snapshotter.createSnapshot(key, images.get(image).chainId);
  try {
    return await action(snapshotter.mount(key));
  } finally {
    snapshotter.unmount(key);
    await snapshotter.removeSnapshot(key);
    await snapshotter.settle();
  }
}
