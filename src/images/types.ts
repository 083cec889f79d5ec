import type { Readable } from 'node:stream';
import type { Descriptor, Digest, Image, Platform } from '#oci';

/** An image as the store knows it. Its ID is the digest of its config (as docker's classic store has it). */
export interface StoredImage {
  readonly id: Digest;
  /** Canonical references with a tag: `docker.io/library/busybox:latest`. */
  readonly tags: readonly string[];
  /** Canonical references by digest: `docker.io/library/busybox@sha256:…`. */
  readonly digests: readonly string[];
  /** The parsed config; its raw bytes are the blob `id`. */
  readonly config: Image;
  readonly manifest: Descriptor | undefined;
  /** Chain ID of the topmost layer; undefined for an image without layers. */
  readonly chainId: Digest | undefined;
  /** Sum of the layers' unpacked sizes, in bytes. */
  readonly sizeBytes: number;
  /** Sizes of the layers, base first. */
  readonly layerSizes: readonly number[];
  /** ISO time of the last tagging, if any. */
  readonly lastTagTime: string | undefined;
  /** Image this one was built or committed from, if it is here. */
  readonly parent: Digest | undefined;
}

export interface ImageDeletion {
  readonly untagged?: string;
  readonly deleted?: string;
}

/** Progress in the shape of docker's JSON message stream, before it becomes wire text. */
export interface ImageProgress {
  readonly id?: string;
  readonly status?: string;
  readonly stream?: string;
  readonly current?: number;
  readonly total?: number;
}

export type OnProgress = (progress: ImageProgress) => void;

export interface ImportOptions {
  /** Canonical reference to tag with; undefined leaves the image untagged. */
  readonly reference?: string;
  readonly message?: string;
  /** Dockerfile instructions: `CMD ["sh"]`, `ENV A=b`. */
  readonly changes?: readonly string[];
  readonly platform?: Platform;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

/** Filters of `docker images`: every given one must match. Values of one filter are alternatives, labels all count. */
export interface ImageFilters {
  readonly reference?: readonly string[];
  readonly dangling?: boolean;
  /** Also untagged images that others were built on. */
  readonly all?: boolean;
  /** `name` or `name=value`. */
  readonly label?: readonly string[];
  /** `label!=…`: none of these may match. */
  readonly notLabel?: readonly string[];
  /** Images by any name; the oldest counts. */
  readonly before?: string | readonly string[];
  /** Images by any name; the newest counts. */
  readonly since?: string | readonly string[];
  /** Milliseconds since the epoch. */
  readonly untilMs?: number;
}

/** One step of an image's making, as `docker history` shows it. */
export interface ImageHistoryEntry {
  /** ID of the image that this step made, `<missing>` when it is not here. */
  readonly id: string;
  /** Seconds since the epoch, 0 when unknown. */
  readonly createdS: number;
  readonly createdBy: string;
  /** Familiar references of that image. */
  readonly tags: readonly string[];
  readonly sizeBytes: number;
  readonly comment: string;
}

export interface ImageDiskUsage {
  readonly layersBytes: number;
  /** Bytes of each image that another one has as well. */
  readonly images: readonly { readonly id: Digest; readonly sharedBytes: number }[];
}

export interface CreateFromLayerOptions {
  readonly base: Digest | undefined;
  /** Layer tar to add on top, plain or compressed; undefined adds none. */
  readonly layerTar: AsyncIterable<Uint8Array> | undefined;
  /**
   * Called with the base's config (or undefined). The result's rootfs is replaced by the service; its history
   * is taken when it is longer than the base's, else one step is added from `created`, `author` and `comment`.
   */
  readonly config: (base: Image | undefined) => Image;
  readonly reference?: string;
  readonly signal?: AbortSignal;
}

export type BootstrapKind = 'busybox' | 'debian';

export interface BootstrapOptions {
  /** Default `busybox:latest`; for debian `debian:latest` and `debian:bookworm`. */
  readonly reference?: string;
  /** Debian packages to install besides; only for `debian`. */
  readonly packages?: readonly string[];
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

export interface LoadedImage {
  readonly id: Digest;
  /** Canonical references it got. */
  readonly references: readonly string[];
}

/** Who uses images; implemented by the containers room, wired in `cmd`. */
export interface ImageUsers {
  /** Containers made from the image: their IDs and whether they run. */
  usersOf(image: Digest): readonly { readonly containerId: string; readonly running: boolean }[];
}

export interface ImageService {
  /**
   * By ID, ID prefix, reference or familiar name; with `platform` only one that runs there.
   * @throws `not_found` (`No such image: X`) with docker's text; `invalid_argument` for a bad reference.
   */
  get(nameOrId: string, platform?: Platform): StoredImage;
  list(filters?: ImageFilters): StoredImage[];
  /** The layers' history as `docker history` shows it, newest first. */
  history(nameOrId: string): readonly ImageHistoryEntry[];
  tag(nameOrId: string, reference: string): void;
  /** docker's rmi: untag first, delete when the last tag goes, refuse what containers use. */
  remove(
    nameOrId: string,
    options?: { readonly force?: boolean; readonly prune?: boolean },
  ): Promise<ImageDeletion[]>;
  /** Removes dangling images (all unused ones with `all`). */
  prune(options?: {
    readonly all?: boolean;
    readonly filters?: ImageFilters;
  }): Promise<{ readonly deleted: ImageDeletion[]; readonly reclaimedBytes: number }>;
  /** A root file system tar becomes a one-layer image. */
  importRootfs(tar: AsyncIterable<Uint8Array>, options?: ImportOptions): Promise<StoredImage>;
  /** Docker archive or OCI layout, plain or compressed. Answers the loaded references and IDs. */
  load(
    archive: AsyncIterable<Uint8Array>,
    options?: { readonly quiet?: boolean; readonly onProgress?: OnProgress; readonly signal?: AbortSignal },
  ): Promise<readonly LoadedImage[]>;
  /** An archive that both `docker load` and OCI layout readers take. @throws `not_found` before the first byte. */
  save(namesOrIds: readonly string[]): Readable;
  /** Makes an image from a config and layers that are already applied; for commit and build. */
  createFromLayer(options: CreateFromLayerOptions): Promise<StoredImage>;
  /** Makes `busybox` or `debian` from Debian's packages, without a registry. */
  bootstrap(kind: BootstrapKind, options?: BootstrapOptions): Promise<StoredImage>;
  /** Bytes of all layers on disk, each counted once, and per image the bytes that it shares. */
  diskUsage(): ImageDiskUsage;
  /**
   * Removes layers and blobs that nothing needs any more, such as those a removed container stood on after its
   * image was forced away. Call it after removing such a container. Answers the unpacked bytes that went.
   */
  collectGarbage(): Promise<number>;
}
