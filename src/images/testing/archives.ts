import { type TarInput, writeTar } from '#base';
import { type Descriptor, type Digest, digestHex, digestOf, type Image, MEDIA_TYPE } from '#oci';

/** A tar in memory. */
export async function tarOf(entries: Iterable<TarInput>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeTar(entries)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A plain file for {@link tarOf}. */
export const fileEntry = (path: string, body: string | Uint8Array): TarInput => ({
  header: { path, mode: 0o644 },
  body,
});

/** A layer of text files. */
export const layerOf = (files: Readonly<Record<string, string>>): Promise<Uint8Array> =>
  tarOf(Object.entries(files).map(([path, body]) => fileEntry(path, body)));

/** A stream of bytes in pieces of odd sizes, as they come from a socket. */
export async function* streamOf(bytes: Uint8Array, pieceBytes = 7001): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

/** A config for uncompressed layers. */
export const configFor = (layers: readonly Uint8Array[], extra: Partial<Image> = {}): Image => ({
  architecture: 'amd64',
  os: 'linux',
  created: '2026-01-02T03:04:05Z',
  config: { Cmd: ['sh'] },
  history: layers.map((_, index) => ({ created: '2026-01-02T03:04:05Z', created_by: `step ${index}` })),
  rootfs: { type: 'layers', diff_ids: layers.map(digestOf) },
  ...extra,
});

export interface ArchiveImage {
  readonly layers: readonly Uint8Array[];
  readonly tags?: readonly string[];
  readonly config?: Image;
}

/** The members of an archive as docker 1.10 to 24 writes it. */
export function dockerArchive(images: readonly ArchiveImage[]): TarInput[] {
  const members: TarInput[] = [];
  const manifest = images.map(({ layers, tags, config }) => {
    const configBytes = JSON.stringify(config ?? configFor(layers));
    const configPath = `${digestHex(digestOf(configBytes))}.json`;
    members.push(fileEntry(configPath, configBytes));
    const paths = layers.map((layer) => `${digestHex(digestOf(`id of ${digestOf(layer)}`))}/layer.tar`);
    layers.forEach((layer, index) => void members.push(fileEntry(paths[index] ?? '', layer)));
    return { Config: configPath, RepoTags: tags ?? null, Layers: paths };
  });
  return [...members, fileEntry('manifest.json', JSON.stringify(manifest))];
}

/** Collects blobs and writes them as an OCI layout. */
export class LayoutBuilder {
  readonly #blobs = new Map<Digest, Uint8Array>();

  add(bytes: Uint8Array | string, mediaType: string): Descriptor {
    const blob = Buffer.from(bytes);
    const digest = digestOf(blob);
    this.#blobs.set(digest, blob);
    return { mediaType, digest, size: blob.length };
  }

  /** Adds an image of the given layers; `mediaType` is that of the layers. */
  addImage(
    layers: readonly Uint8Array[],
    options: {
      readonly config?: Image;
      readonly layerType?: string;
      readonly blobs?: readonly Uint8Array[];
    } = {},
  ): Descriptor {
    const config = this.add(JSON.stringify(options.config ?? configFor(layers)), MEDIA_TYPE.ociConfig);
    const blobs = options.blobs ?? layers;
    const manifest = {
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.ociManifest,
      config,
      layers: blobs.map((layer) => this.add(layer, options.layerType ?? MEDIA_TYPE.ociLayerTar)),
    };
    return this.add(JSON.stringify(manifest), MEDIA_TYPE.ociManifest);
  }

  members(manifests: readonly Descriptor[]): TarInput[] {
    const blobs = [...this.#blobs].map(([digest, bytes]) =>
      fileEntry(`blobs/sha256/${digestHex(digest)}`, bytes),
    );
    const index = { schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests };
    return [
      fileEntry('oci-layout', '{"imageLayoutVersion":"1.0.0"}'),
      fileEntry('index.json', JSON.stringify(index)),
      ...blobs,
    ];
  }
}

/** A descriptor with a full image name. */
export const named = (descriptor: Descriptor, name: string): Descriptor => ({
  ...descriptor,
  annotations: { 'io.containerd.image.name': name },
});
