import { invalidArgument } from '#base';
import {
  type Digest,
  digestOf,
  type History,
  hostPlatform,
  type Image,
  MEDIA_TYPE,
  type Reference,
} from '#oci';
import type { ContentStore, Snapshotter } from '#store';
import { decompress, type ExpansionLimit } from './archive/compression.ts';
import type { ArchivedImage, ArchivedLayer } from './archive/docker-archive.ts';
import { receiveBlob } from './archive/receive.ts';
import type { Member } from './archive/spool.ts';
import type { CatalogEntry, ImageCatalog } from './catalog.ts';
import { applyChanges } from './changes/apply.ts';
import { encodeConfig, parseImageConfig } from './config.ts';
import type { ImageCreator } from './create.ts';
import type { Lease, Reclaimer } from './garbage.ts';
import type { ImageEvents } from './image-events.ts';
import { parseTarget, resolveImage } from './resolve.ts';
import type { CreateFromLayerOptions, ImportOptions, OnProgress } from './types.ts';

export interface BuilderOptions {
  readonly catalog: ImageCatalog;
  readonly content: ContentStore;
  readonly snapshotter: Snapshotter;
  readonly creator: ImageCreator;
  readonly reclaimer: Reclaimer;
  readonly events: ImageEvents;
  readonly limits: ExpansionLimit;
  readonly now: () => Date;
}

/** Images made here from a tar and a config: import, commit and build. */
export class ImageBuilder {
  readonly #options: BuilderOptions;

  constructor(options: BuilderOptions) {
    this.#options = options;
  }

  /** `docker import`. @throws `invalid_argument` for bad changes (before a byte is read) and broken archives. */
  async importRootfs(tar: AsyncIterable<Uint8Array>, options: ImportOptions): Promise<CatalogEntry> {
    const { events, now } = this.#options;
    const { message = '', platform = hostPlatform(), reference, onProgress, signal } = options;
    if (platform.os !== 'linux') throw invalidArgument('operating system is not supported');
    const config = applyChanges({}, options.changes ?? []);
    const target = reference === undefined ? undefined : parseTarget(reference);
    const created = now().toISOString();
    const entry = await this.#withLease(async (lease) => {
      const layer = await this.#receiveLayer(tar, lease, { mayBeNew: true, onProgress, signal });
      const image: Image = {
        architecture: platform.architecture,
        ...(platform.variant === undefined ? {} : { variant: platform.variant }),
        os: platform.os,
        ...(message === '' ? {} : { comment: message }),
        config,
        created,
        history: [{ created, comment: message }],
        rootfs: { type: 'layers', diff_ids: [layer.diffId] },
      };
      return this.#create(image, [layer], { lease, reference: target, onProgress, signal });
    });
    events.publish('import', entry.id);
    return entry;
  }

  /** @throws `not_found` when the base is gone. */
  async createFromLayer(options: CreateFromLayerOptions): Promise<CatalogEntry> {
    const { catalog } = this.#options;
    const base = options.base === undefined ? undefined : resolveImage(catalog, options.base);
    const target = options.reference === undefined ? undefined : parseTarget(options.reference);
    return this.#withLease(async (lease) => {
      const { layerTar, signal } = options;
      const from = { mayBeNew: base === undefined, signal };
      const added = layerTar === undefined ? [] : [await this.#receiveLayer(layerTar, lease, from)];
      const layers = [...(base === undefined ? [] : this.#layersOf(base)), ...added];
      const image = complete(options.config(base?.config), base?.config, layers, added.length > 0);
      const parent = base?.id;
      return this.#create(image, layers, { lease, reference: target, parent, signal });
    });
  }

  async #withLease<T>(action: (lease: Lease) => Promise<T>): Promise<T> {
    const lease = this.#options.reclaimer.lease();
    try {
      return await action(lease);
    } finally {
      await lease.release();
    }
  }

  /** Stores a layer as a plain tar, whatever it came as: so its digest is its diffID. */
  async #receiveLayer(
    tar: AsyncIterable<Uint8Array>,
    lease: Lease,
    {
      mayBeNew,
      onProgress,
      signal,
    }: { mayBeNew: boolean; onProgress?: OnProgress | undefined; signal?: AbortSignal | undefined },
  ): Promise<ArchivedLayer> {
    const { content, snapshotter, limits } = this.#options;
    const source = decompress(onProgress ? counted(tar, onProgress) : tar, limits);
    const blob = await receiveBlob(source, { content, snapshotter, lease, signal, mayBeNew });
    const { digest, size } = blob;
    return { diffId: digest, descriptor: { mediaType: MEDIA_TYPE.ociLayerTar, digest, size }, blob };
  }

  #layersOf({ config, document }: CatalogEntry): ArchivedLayer[] {
    return document.layers.map((descriptor, index) => ({
      diffId: config.rootfs.diff_ids[index] as Digest,
      descriptor,
      blob: { digest: descriptor.digest, size: descriptor.size, bytes: undefined },
    }));
  }

  async #create(
    image: Image,
    layers: readonly ArchivedLayer[],
    context: {
      readonly lease: Lease;
      readonly reference: Reference | undefined;
      readonly parent?: Digest | undefined;
      readonly onProgress?: OnProgress | undefined;
      readonly signal?: AbortSignal | undefined;
    },
  ): Promise<CatalogEntry> {
    const { catalog, creator, events } = this.#options;
    const { lease, reference, parent, signal } = context;
    const bytes = encodeConfig(image);
    const configBlob: Member = { digest: digestOf(bytes), size: bytes.length, bytes };
    const archived: ArchivedImage = {
      configBlob,
      // What we made has to pass the same checks as what comes from outside, or it could not be opened again.
      config: parseImageConfig(bytes),
      layers,
      references: reference === undefined ? [] : [reference],
      ...(parent === undefined ? {} : { parent }),
    };
    await creator.create([archived], { lease, signal });
    if (reference) events.publish('tag', configBlob.digest, reference);
    return resolveImage(catalog, configBlob.digest);
  }
}

/** docker reports an import as bytes read so far. */
async function* counted(
  source: AsyncIterable<Uint8Array>,
  onProgress: OnProgress,
): AsyncGenerator<Uint8Array, void, undefined> {
  const stepBytes = 4 * 1024 * 1024;
  let current = 0;
  let next = 0;
  for await (const chunk of source) {
    current += chunk.length;
    if (current >= next) {
      onProgress({ status: 'Importing', current });
      next = current + stepBytes;
    }
    yield chunk;
  }
  onProgress({ status: 'Importing', current });
}

/** Adds what the service knows better than the caller: the layers, and the history step that made them. */
function complete(
  image: Image,
  base: Image | undefined,
  layers: readonly ArchivedLayer[],
  addsLayer: boolean,
): Image {
  const before = base?.history ?? [];
  const given = image.history ?? [];
  const history = given.length > before.length ? given : [...before, stepOf(image, addsLayer)];
  return { ...image, history, rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) } };
}

function stepOf({ created, author, comment }: Image, addsLayer: boolean): History {
  return {
    ...(created === undefined ? {} : { created }),
    ...(author === undefined ? {} : { author }),
    ...(comment === undefined ? {} : { comment }),
    ...(addsLayer ? {} : { empty_layer: true }),
  };
}
