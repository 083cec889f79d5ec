import { createEventBus, type EventBus } from '#base';
import type { ContentStore, MetadataStore } from '#store';
import { createMemoryMetadataStore, createTemporaryContentStore } from '#store/testing';
import { createImageService, type ImageServiceOptions } from '../service.ts';
import type { ImageService } from '../types.ts';
import { createFailingSnapshotter, type FailingSnapshotter } from './fake-snapshotter.ts';

export interface ImageFixture extends Disposable {
  readonly images: ImageService;
  readonly content: ContentStore;
  readonly metadata: MetadataStore;
  readonly snapshotter: FailingSnapshotter;
  readonly bus: EventBus;
  /** `action name` of the image events so far. */
  events(): string[];
  /** Opens a second service on the same stores, as a restart does. */
  reopen(options?: Partial<ImageServiceOptions>): Promise<ImageService>;
}

/** A real image service over stores in memory and a temporary directory. */
export async function createImageFixture(options: Partial<ImageServiceOptions> = {}): Promise<ImageFixture> {
  const content = createTemporaryContentStore();
  const metadata = createMemoryMetadataStore();
  const snapshotter = createFailingSnapshotter();
  const bus = createEventBus();
  const open = (more: Partial<ImageServiceOptions> = {}) =>
    createImageService({ metadata, content, snapshotter, events: bus, ...options, ...more });
  return {
    images: await open(),
    content,
    metadata,
    snapshotter,
    bus,
    events: () =>
      bus.history().map(({ action, attributes }) => `${action} ${attributes['name'] ?? ''}`.trim()),
    reopen: open,
    [Symbol.dispose]: () => content[Symbol.dispose](),
  };
}
