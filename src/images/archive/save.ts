import type { Readable } from 'node:stream';
import { createTarStream, type TarInput } from '#base';
import {
  type Descriptor,
  type Digest,
  digestHex,
  digestOf,
  familiarName,
  familiarReference,
  formatReference,
  type Manifest,
  MEDIA_TYPE,
  type Platform,
  parseReference,
  type Reference,
} from '#oci';
import type { ContentStore } from '#store';
import type { CatalogEntry, ImageCatalog } from '../catalog.ts';
import { damagedBlob, noSuchImageToSave } from '../errors.ts';
import { blobsOf, type Reclaimer } from '../garbage.ts';
import type { ImageEvents } from '../image-events.ts';
import { findById, tryResolveImage } from '../resolve.ts';

export interface SaverOptions {
  readonly catalog: ImageCatalog;
  readonly content: ContentStore;
  readonly reclaimer: Reclaimer;
  readonly events: ImageEvents;
}

interface Selected {
  readonly entry: CatalogEntry;
  readonly references: Reference[];
}

/** A blob of the archive: already in the content store, or made for it. */
type ArchiveBlob = { readonly size: number; readonly bytes?: Uint8Array };

/**
 * `docker save`: one archive that is an OCI image layout and a docker archive at once, over the same blobs.
 * The same images give the same bytes: members sorted, times zero.
 */
export class ImageSaver {
  readonly #options: SaverOptions;

  constructor(options: SaverOptions) {
    this.#options = options;
  }

  /** @throws `not_found` before the first byte. */
  save(names: readonly string[]): Readable {
    const { reclaimer, events } = this.#options;
    const selected = this.#select(names);
    const lease = reclaimer.lease();
    for (const { entry } of selected) {
      lease.blobs(...blobsOf(entry));
      events.publish('save', entry.id);
    }
    const stream = createTarStream(this.#members(selected));
    // What was removed meanwhile was only waiting for us.
    stream.once('close', () => void lease.release());
    return stream;
  }

  #select(names: readonly string[]): Selected[] {
    const selected = new Map<Digest, Selected>();
    for (const name of names) {
      for (const { entry, reference } of this.#find(name)) {
        const one = selected.get(entry.id) ?? { entry, references: [] };
        selected.set(entry.id, one);
        const isNew = reference && !one.references.some((other) => sameText(other, reference));
        if (isNew) one.references.push(reference);
      }
    }
    return [...selected.values()];
  }

  /** A repository alone means all its tags. */
  #find(name: string): { entry: CatalogEntry; reference?: Reference }[] {
    const { catalog } = this.#options;
    if (name.startsWith('sha256:') || /^[0-9a-f]{64}$/.test(name)) return [this.#findById(name)];
    const reference = parseReference(name);
    if (reference.tag !== undefined || reference.digest !== undefined) {
      const entry = catalog.find(reference);
      if (entry === undefined) throw noSuchImageToSave(name);
      return [reference.digest === undefined ? { entry, reference } : { entry }];
    }
    const named = catalog.referencesIn(reference).flatMap((found) => {
      const entry = catalog.get(found.id);
      if (entry === undefined) return [];
      return [found.reference.digest === undefined ? { entry, reference: found.reference } : { entry }];
    });
    return named.length > 0 ? named : [this.#findById(name)];
  }

  #findById(name: string): { entry: CatalogEntry } {
    const { catalog } = this.#options;
    const entry = findById(catalog, name) ?? tryResolveImage(catalog, name);
    if (entry === undefined) throw noSuchImageToSave(name);
    return { entry };
  }

  async *#members(selected: readonly Selected[]): AsyncGenerator<TarInput, void, undefined> {
    const blobs = new Map<Digest, ArchiveBlob>();
    const manifests: Descriptor[] = [];
    for (const { entry, references } of selected) {
      const manifest = this.#addBlobs(entry, blobs);
      manifests.push(...named(manifest, references));
    }
    yield directory('blobs/');
    yield directory('blobs/sha256/');
    for (const digest of [...blobs.keys()].sort()) {
      yield this.#blobMember(digest, blobs.get(digest) as ArchiveBlob);
    }
    const index = { schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests };
    yield file('index.json', JSON.stringify(index));
    yield file('manifest.json', `${JSON.stringify(dockerItems(selected))}\n`);
    yield file('oci-layout', '{"imageLayoutVersion":"1.0.0"}');
    const repositories = legacyNames(selected);
    if (Object.keys(repositories).length > 0) yield file('repositories', `${JSON.stringify(repositories)}\n`);
  }

  /** Collects the blobs of an image; answers the descriptor of its manifest, made when it came without one. */
  #addBlobs(entry: CatalogEntry, blobs: Map<Digest, ArchiveBlob>): Descriptor {
    const { content } = this.#options;
    const config = {
      mediaType: MEDIA_TYPE.ociConfig,
      digest: entry.id,
      size: content.stat(entry.id)?.size ?? 0,
    };
    for (const { digest, size } of [config, ...entry.document.layers]) blobs.set(digest, { size });
    const platform = platformOf(entry);
    const known = entry.document.manifest;
    if (known !== undefined) {
      blobs.set(known.digest, { size: known.size });
      return { ...known, platform };
    }
    const manifest: Manifest = {
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.ociManifest,
      config,
      layers: entry.document.layers,
    };
    const bytes = Buffer.from(JSON.stringify(manifest));
    const digest = digestOf(bytes);
    blobs.set(digest, { size: bytes.length, bytes });
    return { mediaType: MEDIA_TYPE.ociManifest, digest, size: bytes.length, platform };
  }

  #blobMember(digest: Digest, { size, bytes }: ArchiveBlob): TarInput {
    const path = blobPath(digest);
    return bytes ? file(path, bytes) : { header: { path, size, mode: 0o644 }, body: this.#read(digest) };
  }

  async *#read(digest: Digest): AsyncGenerator<Uint8Array, void, undefined> {
    const { content } = this.#options;
    const hasher = new Bun.CryptoHasher('sha256');
    // Opened only when its turn comes: an archive may have thousands of blobs.
    for await (const chunk of content.read(digest) as AsyncIterable<Uint8Array>) {
      hasher.update(chunk);
      yield chunk;
    }
    // The head was sent long ago; an archive that ends here is one the receiver does not take for whole.
    if (hasher.digest('hex') !== digestHex(digest)) throw damagedBlob(digest);
  }
}

const sameText = (one: Reference, other: Reference): boolean =>
  formatReference(one) === formatReference(other);
const blobPath = (digest: Digest): string => `blobs/sha256/${digestHex(digest)}`;
const directory = (path: string): TarInput => ({ header: { path, type: 'directory', mode: 0o755 } });
const file = (path: string, body: string | Uint8Array): TarInput => ({ header: { path, mode: 0o644 }, body });

function platformOf({ config }: CatalogEntry): Platform {
  const { architecture, os, variant } = config;
  return { architecture, os, ...(variant === undefined || variant === '' ? {} : { variant }) };
}

/** One index entry for each tag; an image without any has one without a name. */
function named(manifest: Descriptor, references: readonly Reference[]): Descriptor[] {
  if (references.length === 0) return [manifest];
  return references.map((reference) => ({
    ...manifest,
    annotations: {
      'io.containerd.image.name': formatReference(reference),
      'org.opencontainers.image.ref.name': reference.tag ?? '',
    },
  }));
}

/** A parent is named where it is in the same archive: another engine could make nothing of it. */
function dockerItems(selected: readonly Selected[]) {
  const ids = new Set(selected.map(({ entry }) => entry.id));
  return selected.map((one) => {
    const { parent } = one.entry.document;
    return { ...dockerItem(one), ...(parent !== undefined && ids.has(parent) ? { Parent: parent } : {}) };
  });
}

function dockerItem({ entry, references }: Selected) {
  const diffIds = entry.config.rootfs.diff_ids;
  const sources = entry.document.layers.map((layer, index) => [diffIds[index], layer]);
  return {
    Config: blobPath(entry.id),
    RepoTags: references.length > 0 ? references.map(familiarReference) : null,
    Layers: entry.document.layers.map(({ digest }) => blobPath(digest)),
    LayerSources: Object.fromEntries(sources),
  };
}

/** The `repositories` file of old: repository → tag → hex ID of the topmost layer. */
function legacyNames(selected: readonly Selected[]): Record<string, Record<string, string>> {
  const names: Record<string, Record<string, string>> = {};
  for (const { entry, references } of selected) {
    const top = entry.document.layers.at(-1);
    for (const reference of references) {
      const repository = familiarName(reference);
      const id = top === undefined ? '' : digestHex(top.digest);
      names[repository] = { ...names[repository], [reference.tag ?? '']: id };
    }
  }
  return names;
}
