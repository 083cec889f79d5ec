import { errorMessage, type Logger } from '#base';
import {
  chainIds,
  type Digest,
  formatReference,
  type Image,
  isDigest,
  parseReference,
  type Reference,
} from '#oci';
import {
  type Collection,
  type ContentStore,
  LostRows,
  lostRowsIn,
  type MetadataStore,
  type Snapshotter,
  tryTransaction,
} from '#store';
import { MAX_CONFIG_BYTES, parseImageConfig } from './config.ts';
import { decodeImage, decodeReference, type ImageDocument, type ReferenceDocument } from './documents.ts';
import { addRowless, isLoss, type LostImages } from './lost-images.ts';
import type { StoredImage } from './types.ts';

/** An image in memory: its stored document, and what follows from its config. */
export interface CatalogEntry {
  readonly id: Digest;
  readonly config: Image;
  readonly document: ImageDocument;
  /** Chain IDs of the layers, base first. */
  readonly chain: readonly Digest[];
  readonly layerSizes: readonly number[];
  /** Milliseconds since the epoch; 0 when the config does not say. */
  readonly createdMs: number;
}

export interface NewImage {
  readonly id: Digest;
  readonly config: Image;
  readonly document: ImageDocument;
  readonly references: readonly Reference[];
}

export interface CatalogOptions {
  readonly metadata: MetadataStore;
  readonly content: ContentStore;
  readonly snapshotter: Snapshotter;
  readonly logger: Logger;
  readonly now: () => Date;
}

const IMAGES = 'images';

/**
 * All images and their names: in memory for readers, in the metadata store for the next start. Every change is
 * durable when the call returns, and memory changes only after the store did.
 */
export class ImageCatalog {
  readonly #options: CatalogOptions;
  readonly #images: Collection<ImageDocument>;
  readonly #references: Collection<ReferenceDocument>;
  readonly #entries = new Map<Digest, CatalogEntry>();
  readonly #byReference = new Map<string, { readonly reference: Reference; readonly id: Digest }>();
  /** Stored images whose configs could not be read yet: only a removal sees them, and what they need is not known. */
  readonly #unread = new Set<Digest>();
  /** Likewise for good, until they are loaded again. */
  readonly #lost: LostImages;

  private constructor(options: CatalogOptions) {
    this.#options = options;
    this.#images = options.metadata.collection(IMAGES, decodeImage);
    // At once: a crash after a damaged row was set aside must not make the next start forget it.
    const { metadata, logger } = options;
    const rows = lostRowsIn(metadata, IMAGES);
    const read = () => {
      for (const [key] of this.#images.entries()) this.#unread.add(key as Digest);
      return new LostRows({ collection: IMAGES, rows, metadata, isId: isDigest, logger });
    };
    this.#lost = tryTransaction(metadata, read, (error) =>
      logger.warn('damaged rows could not be set aside', { error: errorMessage(error) }),
    );
    this.#references = options.metadata.collection('image_references', decodeReference);
  }

  /**
   * Reads the stored catalog. An image whose config is lost is dropped with its names, and reported; one whose config
   * cannot be read at the moment is reported and left for {@link readAgain}; one whose row is lost is reported.
   */
  static async open(options: CatalogOptions): Promise<ImageCatalog> {
    const catalog = new ImageCatalog(options);
    const { metadata, content } = options;
    if (metadata.isRebuilt) await addRowless(catalog.#lost, content, (id) => catalog.has(id));
    await catalog.#readUnread();
    catalog.#tellLost();
    return catalog;
  }

  /** Tries again what could not be read. False while something still cannot: then nothing counts as unneeded. */
  async readAgain(): Promise<boolean> {
    if (this.#unread.size > 0) await this.#readUnread();
    return this.#unread.size === 0 && this.#lost.all().length === 0;
  }

  #tellLost(): void {
    for (const [image, { reason }] of this.#lost.all()) {
      this.#options.logger.error(
        "an image's row is lost: no blobs and layers are removed until it is loaded again or removed by its ID",
        { image, reason },
      );
    }
  }

  async #readUnread(): Promise<void> {
    for (const id of [...this.#unread]) await this.#restore(id);
    for (const [key, { image }] of this.#references.entries()) this.#restoreReference(key, image);
  }

  async #restore(id: Digest): Promise<void> {
    const { content, logger } = this.#options;
    try {
      const config = parseImageConfig(await content.readAll(id, { maxBytes: MAX_CONFIG_BYTES }));
      const document = this.#images.get(id);
      // It may have been removed or loaded again meanwhile.
      if (!this.#unread.has(id)) return;
      if (document) this.#remember(id, config, document);
      else this.#lose(id);
    } catch (error) {
      if (!this.#unread.has(id)) return;
      if (isLoss(error)) {
        logger.warn('image dropped: its config is lost', { image: id, error });
        this.#unread.delete(id);
        this.#drop(this.#images, id);
      } else {
        logger.error(
          'image out of reach, its config cannot be read now: no blobs and layers are removed until it can, or is removed',
          { image: id, error },
        );
      }
    }
  }

  #lose(id: Digest): void {
    this.#unread.delete(id);
    this.#lost.add(id, 'its row could no longer be read');
  }

  #restoreReference(key: string, image: Digest): void {
    try {
      if (!this.has(image)) throw new Error(`image ${image} is gone`);
      this.#byReference.set(key, { reference: parseReference(key), id: image });
    } catch (error) {
      this.#options.logger.warn('image reference dropped', { reference: key, error: errorMessage(error) });
      this.#drop(this.#references, key);
      this.#byReference.delete(key);
    }
  }

  /** On a full disk the row stays, and the next start drops it again. */
  #drop(rows: Pick<Collection<unknown>, 'delete'>, key: string): void {
    try {
      rows.delete(key);
    } catch (error) {
      this.#options.logger.warn('what was dropped is still stored', { key, error: errorMessage(error) });
    }
  }

  #remember(id: Digest, config: Image, document: ImageDocument): void {
    const chain = chainIds(config.rootfs.diff_ids);
    const { snapshotter } = this.#options;
    const layerSizes = chain.map((chainId) => snapshotter.layer(chainId)?.sizeBytes ?? 0);
    const createdMs = Date.parse(config.created ?? '') || 0;
    this.#entries.set(id, { id, config, document, chain, layerSizes, createdMs });
    this.#unread.delete(id);
    this.#lost.forget(id);
  }

  /** Reads the layers' sizes again, after they were put back. */
  refresh(id: Digest): void {
    const entry = this.#entries.get(id);
    if (entry) this.#remember(id, entry.config, entry.document);
  }

  get(id: Digest): CatalogEntry | undefined {
    return this.#entries.get(id);
  }

  entries(): CatalogEntry[] {
    return [...this.#entries.values()];
  }

  /** Whether there is such an image. One out of reach has its names, and no entry: what it needs cannot be told now. */
  has(id: Digest): boolean {
    return this.#entries.has(id) || this.#unread.has(id) || this.#lost.has(id);
  }

  /** IDs of all images, also of those out of reach. */
  ids(): Digest[] {
    const lost = this.#lost.all().map(([id]) => id);
    return [...new Set([...this.#entries.keys(), ...this.#unread, ...lost])];
  }

  /** The image with this name, which may be out of reach. */
  idOf(reference: Reference): Digest | undefined {
    return this.#byReference.get(referenceKey(reference))?.id;
  }

  find(reference: Reference): CatalogEntry | undefined {
    const id = this.idOf(reference);
    return id === undefined ? undefined : this.#entries.get(id);
  }

  /** Tags and digests of an image, in the order of their canonical texts. */
  referencesOf(id: Digest): Reference[] {
    return [...this.#byReference]
      .filter(([, entry]) => entry.id === id)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([, { reference }]) => reference);
  }

  /** Everything named in one repository, by canonical text. */
  referencesIn(repository: Reference): { readonly reference: Reference; readonly id: Digest }[] {
    return [...this.#byReference]
      .filter(
        ([, { reference }]) => reference.domain === repository.domain && reference.path === repository.path,
      )
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([, entry]) => entry);
  }

  childrenOf(id: Digest): CatalogEntry[] {
    return this.entries().filter(({ document }) => document.parent === id);
  }

  /**
   * Adds images and moves their references to them: all or nothing. An image that is there
   * and whole keeps its document.
   */
  add(images: readonly NewImage[]): void {
    const lastTagTime = this.#options.now().toISOString();
    const documents = images.map((image) => ({ image, document: this.#documentFor(image, lastTagTime) }));
    this.#options.metadata.transaction(() => {
      for (const { image, document } of documents) {
        this.#images.put(image.id, document);
        for (const reference of image.references) {
          this.#references.put(referenceKey(reference), { image: image.id });
        }
      }
    });
    for (const { image, document } of documents) {
      this.#remember(image.id, image.config, document);
      for (const reference of image.references) this.#name(reference, image.id);
    }
  }

  #documentFor({ id, document, references }: NewImage, lastTagTime: string): ImageDocument {
    const known = this.#entries.get(id)?.document;
    const merged = { ...document, ...(known && this.#isWhole(known) ? known : {}) };
    return references.length > 0 ? { ...merged, lastTagTime } : merged;
  }

  #isWhole({ layers, manifest }: ImageDocument): boolean {
    const blobs = manifest === undefined ? layers : [...layers, manifest];
    return blobs.every(({ digest }) => this.#options.content.stat(digest) !== undefined);
  }

  tag(reference: Reference, id: Digest): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    const document = { ...entry.document, lastTagTime: this.#options.now().toISOString() };
    this.#options.metadata.transaction(() => {
      this.#references.put(referenceKey(reference), { image: id });
      this.#images.put(id, document);
    });
    this.#entries.set(id, { ...entry, document });
    this.#name(reference, id);
  }

  #name(reference: Reference, id: Digest): void {
    this.#byReference.set(referenceKey(reference), { reference: stripTagOfDigest(reference), id });
  }

  untag(reference: Reference): void {
    this.#references.delete(referenceKey(reference));
    this.#byReference.delete(referenceKey(reference));
  }

  /** Removes an image, also one out of reach, with all its names; its children lose their parent. */
  delete(id: Digest): void {
    const orphans = this.childrenOf(id).map((child) => {
      const { parent: _parent, ...document } = child.document;
      return { ...child, document };
    });
    const names = this.referencesOf(id).map(referenceKey);
    this.#options.metadata.transaction(() => {
      for (const name of names) this.#references.delete(name);
      for (const orphan of orphans) this.#images.put(orphan.id, orphan.document);
      this.#images.delete(id);
    });
    for (const name of names) this.#byReference.delete(name);
    for (const orphan of orphans) this.#entries.set(orphan.id, orphan);
    this.#entries.delete(id);
    this.#unread.delete(id);
    this.#lost.forget(id);
  }

  /** The image as other rooms see it. */
  view(entry: CatalogEntry): StoredImage {
    const references = this.referencesOf(entry.id);
    return {
      id: entry.id,
      tags: references.filter(({ digest }) => digest === undefined).map(formatReference),
      digests: references.filter(({ digest }) => digest !== undefined).map(formatReference),
      config: entry.config,
      manifest: entry.document.manifest,
      chainId: entry.chain.at(-1),
      sizeBytes: entry.layerSizes.reduce((sum, size) => sum + size, 0),
      layerSizes: entry.layerSizes,
      lastTagTime: entry.document.lastTagTime,
      parent: entry.document.parent,
    };
  }
}

/** A reference with a digest is known by the digest alone: its tag says nothing more. */
const stripTagOfDigest = (reference: Reference): Reference =>
  reference.digest === undefined ? reference : { ...reference, tag: undefined };

const referenceKey = (reference: Reference): string => formatReference(stripTagOfDigest(reference));
