import type { Readable } from 'node:stream';
import { type EventBus, type Logger, silentLogger } from '#base';
import type { Digest } from '#oci';
import {
  type ContentStore,
  createGarbageCollector,
  type GarbageCollector,
  type MetadataStore,
  type Snapshotter,
} from '#store';
import type { ExpansionLimit } from './archive/compression.ts';
import { ImageLoader } from './archive/load.ts';
import { ImageSaver } from './archive/save.ts';
import type { SpoolLimits } from './archive/spool.ts';
import { importOptions, planBootstrap } from './bootstrap/bootstrap.ts';
import { ImageBuilder } from './build.ts';
import { type CatalogEntry, ImageCatalog } from './catalog.ts';
import { ImageCreator } from './create.ts';
import { imageDiskUsage } from './disk-usage.ts';
import { Reclaimer } from './garbage.ts';
import { imageHistory } from './history.ts';
import { ImageEvents } from './image-events.ts';
import { listImages } from './list.ts';
import { requirePlatform } from './platform.ts';
import { ImagePruner } from './prune.ts';
import { ImageRemover } from './remove.ts';
import { repairImages } from './repair.ts';
import { parseTarget, resolveImage } from './resolve.ts';
import type { BootstrapKind, BootstrapOptions, ImageService, ImageUsers } from './types.ts';

export interface ImageServiceOptions {
  readonly metadata: MetadataStore;
  readonly content: ContentStore;
  readonly snapshotter: Snapshotter;
  readonly events: EventBus;
  /** Shared by all who use the same stores. Default: one of its own. */
  readonly garbage?: GarbageCollector;
  /** Who holds images; default nobody. */
  readonly users?: ImageUsers;
  readonly logger?: Logger;
  /** Blobs that other rooms keep in the same content store; asked at each collection. */
  readonly foreignRoots?: () => Iterable<Digest>;
  /** Bounds on archives. */
  readonly limits?: SpoolLimits & ExpansionLimit;
  readonly now?: () => Date;
}

const NOBODY: ImageUsers = { usersOf: () => [] };

/**
 * Opens the image service: reads the catalog, puts back lost layers, and removes what an interrupted operation
 * of an earlier process left (unless the metadata was rebuilt, when missing rows prove nothing).
 */
export async function createImageService(options: ImageServiceOptions): Promise<ImageService> {
  const { metadata, content, snapshotter, limits = {} } = options;
  const { logger = silentLogger, users = NOBODY, foreignRoots = () => [], now = () => new Date() } = options;
  const catalog = await ImageCatalog.open({ metadata, content, snapshotter, logger, now });
  await repairImages({ catalog, content, snapshotter, logger });
  const garbage = options.garbage ?? createGarbageCollector({ content, snapshotter, logger });
  const reclaimer = new Reclaimer({ catalog, content, snapshotter, garbage, foreignRoots, logger });
  if (!metadata.isRebuilt) await reclaimer.sweep();
  const events = new ImageEvents(options.events, catalog);
  const creator = new ImageCreator({ catalog, content, snapshotter });
  const remover = new ImageRemover({ catalog, reclaimer, events, users });
  return new Service({
    catalog,
    snapshotter,
    reclaimer,
    events,
    remover,
    pruner: new ImagePruner({ catalog, remover, events, logger }),
    loader: new ImageLoader({ content, snapshotter, creator, reclaimer, events, limits }),
    saver: new ImageSaver({ catalog, content, reclaimer, events }),
    builder: new ImageBuilder({ catalog, content, snapshotter, creator, reclaimer, events, limits, now }),
  });
}

interface Parts {
  readonly catalog: ImageCatalog;
  readonly snapshotter: Snapshotter;
  readonly reclaimer: Reclaimer;
  readonly events: ImageEvents;
  readonly remover: ImageRemover;
  readonly pruner: ImagePruner;
  readonly loader: ImageLoader;
  readonly saver: ImageSaver;
  readonly builder: ImageBuilder;
}

/** Each operation in its own file; here they only meet. */
class Service implements ImageService {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get: ImageService['get'] = (name, platform) => {
    const image = this.#view(this.#find(name));
    if (platform) requirePlatform(name, image, platform);
    return image;
  };

  list: ImageService['list'] = (filters) => listImages(this.#parts.catalog, filters);

  history: ImageService['history'] = (name) => imageHistory(this.#parts.catalog, this.#find(name));

  tag(name: string, reference: string): void {
    const { catalog, events } = this.#parts;
    const { id } = this.#find(name);
    const target = parseTarget(reference);
    catalog.tag(target, id);
    events.publish('tag', id, target);
  }

  remove: ImageService['remove'] = async (name, options) =>
    (await this.#parts.remover.remove(name, options)).records;

  prune: ImageService['prune'] = (options) => this.#parts.pruner.prune(options);

  importRootfs: ImageService['importRootfs'] = async (tar, options = {}) =>
    this.#view(await this.#parts.builder.importRootfs(tar, options));

  load: ImageService['load'] = (archive, options = {}) => this.#parts.loader.load(archive, options);

  save: (names: readonly string[]) => Readable = (names) => this.#parts.saver.save(names);

  createFromLayer: ImageService['createFromLayer'] = async (options) =>
    this.#view(await this.#parts.builder.createFromLayer(options));

  async bootstrap(kind: BootstrapKind, options: BootstrapOptions = {}) {
    const plan = await planBootstrap(kind, options);
    const { id } = await this.#parts.builder.importRootfs(plan.rootfs, importOptions(plan, options));
    for (const reference of plan.references.slice(1)) this.tag(id, reference);
    return this.get(id);
  }

  diskUsage: ImageService['diskUsage'] = () => imageDiskUsage(this.#parts.catalog, this.#parts.snapshotter);

  collectGarbage: ImageService['collectGarbage'] = async () =>
    (await this.#parts.reclaimer.sweep()).layersBytes;

  #find(name: string): CatalogEntry {
    return resolveImage(this.#parts.catalog, name);
  }

  #view(entry: CatalogEntry) {
    return this.#parts.catalog.view(entry);
  }
}
