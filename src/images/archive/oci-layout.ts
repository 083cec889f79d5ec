import {
  type Descriptor,
  type Digest,
  digestHex,
  formatPlatform,
  hostPlatform,
  MEDIA_TYPE,
  type Platform,
  type Reference,
  tryParseReference,
} from '#oci';
import type { ContentStore } from '#store';
import { MAX_CONFIG_BYTES, parseImageConfig } from '../config.ts';
import { layerCountMismatch, malformed } from '../errors.ts';
import {
  isConfigType,
  isIndexType,
  isManifestType,
  MAX_MANIFEST_BYTES,
  parseIndex,
  parseManifest,
} from '../manifest.ts';
import { type ArchivedImage, type ArchivedLayer, checkPlatform, requireMember } from './docker-archive.ts';
import { checkLayerType } from './layer-blob.ts';
import { type Member, memberBytes, type Spool } from './spool.ts';

const INDEX_FILE = 'index.json';
const NAME_ANNOTATION = 'io.containerd.image.name';
const REF_ANNOTATION = 'org.opencontainers.image.ref.name';
const ATTESTATION_ANNOTATION = 'vnd.docker.reference.type';
const MAX_NESTING = 8;
/** Manifests and indexes that one archive may make us read. */
const MAX_DOCUMENTS = 10_000;

/**
 * Reads the images of an OCI image layout: those that `index.json` lists, and of each nested index the one for
 * this machine. Undefined when the archive has no `index.json`.
 * @throws `invalid_argument` for anything that breaks the image-spec.
 */
export async function readOciLayout(
  spool: Spool,
  content: ContentStore,
): Promise<ArchivedImage[] | undefined> {
  const file = spool.find(INDEX_FILE);
  if (file === undefined) return undefined;
  const bytes = await memberBytes(file, content, INDEX_FILE, MAX_MANIFEST_BYTES);
  const index = parseIndex(bytes, MEDIA_TYPE.ociIndex);
  const reader = new LayoutReader(spool, content);
  const images = new Map<Digest, ArchivedImage>();
  for (const descriptor of index.manifests) {
    if (isAttestation(descriptor)) continue;
    const image = await reader.read(descriptor);
    const known = images.get(image.configBlob.digest);
    images.set(image.configBlob.digest, known ? merge(known, image) : image);
  }
  return [...images.values()];
}

/** One image listed under several names. */
const merge = (one: ArchivedImage, other: ArchivedImage): ArchivedImage => ({
  ...one,
  references: [...one.references, ...other.references],
});

class LayoutReader {
  readonly #spool: Spool;
  readonly #content: ContentStore;
  #documents = 0;

  constructor(spool: Spool, content: ContentStore) {
    this.#spool = spool;
    this.#content = content;
  }

  async read(listed: Descriptor): Promise<ArchivedImage> {
    const chosen = await this.#choose(listed, 0);
    if (chosen === undefined) {
      throw malformed(INDEX_FILE, `no matching manifest for ${formatPlatform(hostPlatform())}`);
    }
    const { descriptor, blob, bytes } = chosen;
    const manifest = parseManifest(bytes, descriptor.mediaType);
    if (!isConfigType(manifest.config.mediaType)) {
      throw malformed('manifest', `not an image: config is ${JSON.stringify(manifest.config.mediaType)}`);
    }
    const configBlob = this.#blob(manifest.config);
    const config = parseImageConfig(
      await memberBytes(configBlob, this.#content, 'image config', MAX_CONFIG_BYTES),
    );
    checkPlatform(config);
    return {
      configBlob,
      config,
      layers: this.#layers(manifest.layers, config.rootfs.diff_ids),
      references: referencesOf(listed),
      manifest: {
        descriptor: { mediaType: descriptor.mediaType, digest: blob.digest, size: blob.size },
        blob,
      },
    };
  }

  /** The manifest itself, or the best of an index for this machine. */
  async #choose(
    descriptor: Descriptor,
    nesting: number,
  ): Promise<{ descriptor: Descriptor; blob: Member; bytes: Uint8Array } | undefined> {
    this.#documents += 1;
    if (this.#documents > MAX_DOCUMENTS) throw malformed(INDEX_FILE, `more than ${MAX_DOCUMENTS} documents`);
    if (nesting > MAX_NESTING) throw malformed(INDEX_FILE, `indexes nested deeper than ${MAX_NESTING}`);
    const blob = this.#blob(descriptor);
    const bytes = await memberBytes(blob, this.#content, 'manifest', MAX_MANIFEST_BYTES);
    if (isManifestType(descriptor.mediaType)) return { descriptor, blob, bytes };
    if (!isIndexType(descriptor.mediaType)) {
      throw malformed(INDEX_FILE, `unsupported media type ${JSON.stringify(descriptor.mediaType)}`);
    }
    const entries = parseIndex(bytes, descriptor.mediaType).manifests.filter(
      (entry) => !isAttestation(entry),
    );
    for (const entry of bestFirst(entries)) {
      // An archive may hold only some of the platforms of an index.
      if (this.#spool.find(blobPath(entry.digest)) === undefined) continue;
      const found = await this.#choose(entry, nesting + 1);
      if (found) return found;
    }
    return undefined;
  }

  #layers(descriptors: readonly Descriptor[], diffIds: readonly Digest[]): ArchivedLayer[] {
    if (descriptors.length !== diffIds.length) throw layerCountMismatch(descriptors.length, diffIds.length);
    return diffIds.map((diffId, index) => {
      const descriptor = descriptors[index] as Descriptor;
      const blob = this.#blob(descriptor);
      checkLayerType(descriptor, blob, this.#content);
      const { mediaType, digest, size } = descriptor;
      return { diffId, blob, descriptor: { mediaType, digest, size } };
    });
  }

  /** The blob of a descriptor, its digest and size compared. */
  #blob({ digest, size }: Descriptor): Member {
    const blob = requireMember(this.#spool, blobPath(digest));
    if (blob.digest !== digest) {
      throw malformed(blobPath(digest), `digest is ${blob.digest}`);
    }
    if (blob.size !== size) throw malformed(blobPath(digest), `size is ${blob.size}, expected ${size}`);
    return blob;
  }
}

const blobPath = (digest: Digest): string => `blobs/sha256/${digestHex(digest)}`;

const isAttestation = ({ annotations, platform }: Descriptor): boolean =>
  annotations?.[ATTESTATION_ANNOTATION] !== undefined || platform?.os === 'unknown';

/** What runs here, the nearest variant first; entries that do not say what they run on come last. */
function bestFirst(entries: readonly Descriptor[]): Descriptor[] {
  const rank = ({ platform }: Descriptor): number => (platform === undefined ? 1 : platformRank(platform));
  return entries.filter((entry) => rank(entry) > 0).sort((one, other) => rank(other) - rank(one));
}

/** Higher is better, 0 does not run here. */
function platformRank(platform: Platform): number {
  const host = hostPlatform();
  if (platform.os !== host.os || platform.architecture !== host.architecture) return 0;
  return platform.variant === undefined || platform.variant === host.variant ? 3 : 2;
}

/** The full name where there is one, else the ref name when that is one; a bare tag names nothing. */
function referencesOf({ annotations }: Descriptor): Reference[] {
  const name = annotations?.[NAME_ANNOTATION] ?? annotations?.[REF_ANNOTATION];
  const reference = name === undefined ? undefined : tryParseReference(name);
  return reference?.tag === undefined || reference.digest !== undefined ? [] : [reference];
}
