import type { Readable } from 'node:stream';
import type { Digest, IdMappings } from '#oci';

/**
 * When a write is safe from a power cut. From the end of the process, however that comes, every write is safe at once.
 * - `synced`: when the call returns, and with it everything written before.
 * - `ordered`: with the next synced write at the latest. Until then a power cut may undo it, and then also everything
 *   written after it: what comes back is always the state of one moment. For what the next start finds out by itself.
 */
export type Durability = 'synced' | 'ordered';

export interface WriteOptions {
  /** Default `synced`. Within a transaction all is synced. */
  readonly durability?: Durability;
}

/**
 * Keyed documents in the metadata database: one table a collection, one JSON document a key.
 * Documents that fail `decode` are moved to quarantine and reported, never returned and never fatal.
 */
export interface Collection<T> {
  get(key: string): T | undefined;
  put(key: string, value: T, options?: WriteOptions): void;
  delete(key: string, options?: WriteOptions): boolean;
  /** All documents in key order. */
  entries(): (readonly [key: string, value: T])[];
}

export interface MetadataStore extends Disposable {
  /** Opens (and creates) a collection. `decode` checks a stored document and returns it, or throws. */
  collection<T>(name: string, decode: (stored: unknown) => T): Collection<T>;
  /** Runs `action` in one transaction: all its writes or none. */
  transaction<T>(action: () => T): T;
  /**
   * The database was new, or corrupt and made anew from what could be salvaged: rows may be missing, so what
   * lies on disk without one must not be taken for garbage.
   */
  readonly isRebuilt: boolean;
  /** What the integrity check and the decoders set aside since opening. */
  readonly quarantined: readonly {
    readonly collection: string;
    readonly key: string;
    readonly reason: string;
  }[];
}

export interface BlobInfo {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/**
 * Blobs by digest. A blob is written to `ingest/`, verified, fsynced and renamed, so that a committed blob is
 * always whole. Committing a digest that exists already succeeds and drops the new copy.
 */
export interface ContentStore {
  /**
   * Opens an ingest under `ref` (a name chosen by the caller). An interrupted ingest of the same ref is
   * resumed: `offset` says how many bytes are there already.
   */
  openIngest(ref: string): Promise<Ingest>;
  /** An ingest that nobody can ask for again: what is left of it after a crash goes at the next opening. */
  openAnonymousIngest(): Promise<Ingest>;
  /** Writes a whole stream. @throws `data_loss` when digest or size differ from what is expected. */
  write(
    source: AsyncIterable<Uint8Array> | Uint8Array | string,
    options?: {
      readonly expectedDigest?: Digest;
      readonly expectedSize?: number;
      readonly signal?: AbortSignal;
    },
  ): Promise<BlobInfo>;
  stat(digest: Digest): BlobInfo | undefined;
  /** Absolute path of a committed blob, for readers and Workers. @throws `not_found`. */
  path(digest: Digest): string;
  /** @throws `not_found`. */
  read(digest: Digest): Readable;
  /**
   * The whole blob, for manifests and configs, checked against its digest.
   * @throws `not_found`, `invalid_argument` when larger than `maxBytes` (default 8 MiB), `data_loss` when damaged
   * (it is then in quarantine and no longer present).
   */
  readAll(digest: Digest, options?: { readonly maxBytes?: number }): Promise<Uint8Array>;
  delete(digest: Digest): Promise<void>;
  list(): BlobInfo[];
  /**
   * Reads a blob again. One that no longer matches its digest is moved to quarantine, so that the next pull
   * heals it. False when it is missing or was damaged.
   */
  verify(digest: Digest, options?: { readonly signal?: AbortSignal }): Promise<boolean>;
}

export interface Ingest extends AsyncDisposable {
  readonly ref: string;
  /** Bytes already there when opened. */
  readonly offset: number;
  /** Path of the growing file, so that a Worker can read along. */
  readonly path: string;
  write(chunk: Uint8Array): Promise<void>;
  /** Verifies, syncs and publishes. @throws `data_loss` on a mismatch; the ingest is then gone. */
  commit(expected?: { readonly digest?: Digest; readonly size?: number }): Promise<BlobInfo>;
  /** Drops what was written, also after a write or commit that failed. Disposing without commit keeps it for a later resume. */
  abort(): Promise<void>;
}

/** What applying one layer found out. */
export interface AppliedLayer {
  readonly diffId: Digest;
  /** Sum of the sizes of the regular files, in bytes. */
  readonly sizeBytes: number;
}

export interface ApplyLayerOptions {
  readonly chainId: Digest;
  /** The layer below, already applied. @throws `not_found` when it is not. */
  readonly parent: Digest | undefined;
  readonly blobPath: string;
  /** Digest of the blob, where it comes from the content store: an uncompressed layer then is not hashed again. */
  readonly blobDigest?: Digest;
  readonly expectedDiffId?: Digest;
  /** Unpacked already from the same blob (then `blobDigest` is needed). Taken only for a layer without a parent. */
  readonly staged?: StagedLayer;
  readonly signal?: AbortSignal;
}

/**
 * A plain layer blob that is unpacked while it is still being written, before anybody knows its chain ID. Its
 * writer says how far it has come. Either `applyLayer` takes it, or `abandon` drops it: one of both is a must.
 */
export interface StagedLayer {
  /** So many bytes from the start of the file can be read. */
  grown(bytes: number): void;
  /** What can be read now is all. */
  complete(): void;
  /** Drops what was unpacked. Idempotent, and harmless once the layer has been applied. */
  abandon(): Promise<void>;
}

export interface FilesystemChange {
  readonly path: string;
  readonly kind: 'modified' | 'added' | 'deleted';
}

export interface SnapshotOptions {
  /** Of the user namespace that the tree is for. */
  readonly mappings?: IdMappings | undefined;
  /** SELinux label of everything in the tree while it is mounted. */
  readonly label?: string | undefined;
}

/**
 * Layers and the writable trees of containers.
 *
 * Vocabulary: a *layer* is committed, immutable and named by its chain ID; a *container snapshot* is a writable
 * tree on top of a layer (or on nothing) and named by a key. Lifecycle of a layer: `applyLayer` → used as parent
 * → `removeLayer`. Lifecycle of a container snapshot: `createSnapshot` → `mount` ⇄ `unmount` → `removeSnapshot`.
 *
 * Worked example: for an image with diffIDs A, B: `applyLayer({ chainId: A, parent: undefined, blob })`,
 * `applyLayer({ chainId: chain(A,B), parent: A, blob })`, `createSnapshot('c1', chain(A,B))`,
 * `mount('c1')` → `/…/c1/merged`.
 *
 * A layer or snapshot is present only when its metadata row is; what a crash leaves behind is removed at the
 * next open. Each back end passes the contract suite in `store/testing`.
 */
export interface Snapshotter {
  /** `overlay2`, `erofs`, … as `docker info` shows the storage driver. */
  readonly name: string;
  /** `[["Backing Filesystem", "extfs"], …]` for `docker info`. */
  status(): (readonly [string, string])[];

  /**
   * Applies a layer blob (tar, plain or gzip or zstd: found out by its first bytes). Idempotent: an existing
   * layer answers at once. Runs in a Worker.
   * @throws `invalid_argument` for a hostile or broken archive, `data_loss` when the diffID differs from
   * `expectedDiffId`; nothing is left behind either way.
   */
  applyLayer(options: ApplyLayerOptions): Promise<AppliedLayer>;
  /**
   * Starts to unpack an uncompressed layer while its file grows. Undefined when the back end cannot, or is busy:
   * a slow writer holds a Worker, so only one at a time may.
   */
  stageLayer?(options: { readonly blobPath: string }): StagedLayer | undefined;
  layer(chainId: Digest): (AppliedLayer & { readonly parent: Digest | undefined }) | undefined;
  /** @throws `conflict` while a layer or snapshot stands on it. */
  removeLayer(chainId: Digest): Promise<void>;
  layers(): Digest[];

  /**
   * Makes the writable tree. `parent` undefined is an empty root. With `mappings` the tree is one for a user namespace:
   * once mounted it has the host's IDs, with which that namespace sees those of the image; `changes` and `diff` have the
   * image's IDs. @throws `conflict` when the key exists.
   */
  createSnapshot(key: string, parent: Digest | undefined, options?: SnapshotOptions): Promise<void>;
  /** Idempotent. Returns the absolute path of the mounted root. @throws `not_found`. */
  mount(key: string): string;
  /** Idempotent: an unmounted or unknown key is fine. */
  unmount(key: string): void;
  isMounted(key: string): boolean;
  /** Unmounts and removes; the files go in the background. Idempotent. */
  removeSnapshot(key: string): Promise<void>;
  snapshots(): string[];
  /** Paths for `inspect`'s GraphDriver.Data (`LowerDir`, `UpperDir`, `WorkDir`, `MergedDir`). */
  describe(key: string): Readonly<Record<string, string>>;
  /** Bytes in the writable tree. */
  usage(key: string, options?: { readonly signal?: AbortSignal }): Promise<number>;
  /** What differs from the parent, sorted by path. */
  changes(key: string): Promise<FilesystemChange[]>;
  /** The differences as an OCI layer tar (whiteouts included). */
  diff(key: string): Readable;
  /** Waits until removals in the background are done; for shutdown and tests. */
  settle(): Promise<void>;
}
