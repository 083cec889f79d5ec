import { throwIfAborted } from '#base';
import { type Digest, familiarReference, formatReference, type Reference } from '#oci';
import type { ContentStore, Snapshotter } from '#store';
import type { ImageCreator } from '../create.ts';
import { notAnImageArchive } from '../errors.ts';
import type { Lease, Reclaimer } from '../garbage.ts';
import type { ImageEvents } from '../image-events.ts';
import type { LoadedImage, OnProgress } from '../types.ts';
import { decompress, type ExpansionLimit } from './compression.ts';
import { type ArchivedImage, readDockerArchive } from './docker-archive.ts';
import { readLegacyArchive } from './legacy-archive.ts';
import { readOciLayout } from './oci-layout.ts';
import { Spool, type SpoolLimits } from './spool.ts';

export interface LoaderOptions {
  readonly content: ContentStore;
  readonly snapshotter: Snapshotter;
  readonly creator: ImageCreator;
  readonly reclaimer: Reclaimer;
  readonly events: ImageEvents;
  readonly limits: SpoolLimits & ExpansionLimit;
}

export interface LoadOptions {
  readonly quiet?: boolean;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

/** `docker load`. Until everything of the archive is checked and stored nothing of it is visible. */
export class ImageLoader {
  readonly #options: LoaderOptions;

  constructor(options: LoaderOptions) {
    this.#options = options;
  }

  /** @throws `invalid_argument`, `data_loss`, with docker's texts; then nothing is left behind. */
  async load(archive: AsyncIterable<Uint8Array>, options: LoadOptions): Promise<LoadedImage[]> {
    const { content, snapshotter, reclaimer, limits } = this.#options;
    const lease = reclaimer.lease();
    const { signal } = options;
    const spool = new Spool({
      content,
      snapshotter,
      lease,
      limits,
      ...(signal === undefined ? {} : { signal }),
    });
    try {
      await spool.receive(decompress(archive, limits));
      const images = await this.#read(spool);
      throwIfAborted(signal);
      return await this.#store(images, lease, options);
    } finally {
      await lease.release();
    }
  }

  async #read(spool: Spool): Promise<ArchivedImage[]> {
    const { content } = this.#options;
    const images =
      (await readDockerArchive(spool, content)) ??
      (await readOciLayout(spool, content)) ??
      (await readLegacyArchive(spool, content));
    if (images === undefined) throw notAnImageArchive();
    return validParents(images);
  }

  async #store(images: readonly ArchivedImage[], lease: Lease, options: LoadOptions): Promise<LoadedImage[]> {
    const { creator, events } = this.#options;
    const report = options.onProgress ?? (() => {});
    const onProgress: OnProgress = options.quiet === true ? () => {} : report;
    await creator.create(images, {
      lease,
      onProgress,
      signal: options.signal,
      onMoved: movedReporter(report),
    });
    for (const { configBlob, references } of images) {
      for (const stream of loadedTexts(configBlob.digest, references)) report({ stream });
      events.publish('load', configBlob.digest);
    }
    return images.map(({ configBlob, references }) => ({
      id: configBlob.digest,
      references: references.map(formatReference),
    }));
  }
}

const movedReporter = (report: OnProgress) => (reference: Reference, from: Digest) =>
  report({
    stream: `The image ${familiarReference(reference)} already exists, renaming the old one with ID ${from} to empty string\n`,
  });

const loadedTexts = (id: Digest, references: readonly Reference[]): string[] =>
  references.length === 0
    ? [`Loaded image ID: ${id}\n`]
    : references.map((reference) => `Loaded image: ${familiarReference(reference)}\n`);

/**
 * A parent counts only when it comes in the same archive and its history is the shorter one: so no image can be
 * its own ancestor, which nothing could remove.
 */
function validParents(images: readonly ArchivedImage[]): ArchivedImage[] {
  const steps = new Map(images.map((image) => [image.configBlob.digest, image.config.history?.length ?? 0]));
  return images.map((image) => {
    const { parent, ...rest } = image;
    const parentSteps = parent === undefined ? undefined : steps.get(parent);
    return parentSteps !== undefined && parentSteps < (image.config.history?.length ?? 0) ? image : rest;
  });
}
