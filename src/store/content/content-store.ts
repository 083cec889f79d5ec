import { randomUUID } from 'node:crypto';
import { createReadStream, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { conflict, dataLoss, errnoCode, invalidArgument, type Logger, notFound } from '#base';
import { type Digest, digestHex, digestOf, isDigest } from '#oci';
import { storeError } from '../errors.ts';
import type { BlobInfo, ContentStore, Ingest } from '../types.ts';
import { syncDirectory } from './directory.ts';
import { openIngestFile } from './ingest.ts';

export interface ContentStoreOptions {
  /** Made when missing. Holds `blobs/sha256/`, `ingest/` and `quarantine/`. */
  readonly root: string;
  readonly logger: Logger;
  /** Interrupted ingests older than this are dropped at opening. Milliseconds, default seven days. */
  readonly staleIngestMs?: number;
}

const DEFAULT_STALE_INGEST_MS = 7 * 24 * 3600 * 1000;
const DEFAULT_MAX_BYTES = 8 * 1024 * 1024;
const READ_BYTES = 256 * 1024;
/** Files that nobody can ask for again, of `write` and `delete`: their name is random. */
const ANONYMOUS_PREFIX = 'anonymous-';

/** Opens a {@link ContentStore} in a directory and removes what an earlier process left half-made. */
export function openContentStore(options: ContentStoreOptions): ContentStore {
  return new DirectoryContentStore(options);
}

class DirectoryContentStore implements ContentStore {
  readonly #blobsDir: string;
  readonly #ingestDir: string;
  readonly #quarantineDir: string;
  readonly #logger: Logger;
  readonly #openRefs = new Set<string>();

  constructor({ root, logger, staleIngestMs = DEFAULT_STALE_INGEST_MS }: ContentStoreOptions) {
    this.#blobsDir = join(root, 'blobs', 'sha256');
    this.#ingestDir = join(root, 'ingest');
    this.#quarantineDir = join(root, 'quarantine');
    this.#logger = logger;
    for (const dir of [this.#blobsDir, this.#ingestDir, this.#quarantineDir])
      mkdirSync(dir, { recursive: true, mode: 0o700 });
    this.#dropStaleIngests(staleIngestMs);
  }

  async openIngest(ref: string): Promise<Ingest> {
    return this.#open(ref, digestHex(digestOf(ref)));
  }

  async openAnonymousIngest(): Promise<Ingest> {
    const name = `${ANONYMOUS_PREFIX}${randomUUID()}`;
    return this.#open(name, name);
  }

  async write(
    source: AsyncIterable<Uint8Array> | Uint8Array | string,
    options: {
      readonly expectedDigest?: Digest;
      readonly expectedSize?: number;
      readonly signal?: AbortSignal;
    } = {},
  ): Promise<BlobInfo> {
    const ingest = await this.openAnonymousIngest();
    try {
      for await (const chunk of chunksOf(source)) {
        options.signal?.throwIfAborted();
        await ingest.write(chunk);
      }
      const { expectedDigest: digest, expectedSize: size } = options;
      return await ingest.commit({
        ...(digest === undefined ? {} : { digest }),
        ...(size === undefined ? {} : { size }),
      });
    } finally {
      await ingest.abort();
    }
  }

  stat(digest: Digest): BlobInfo | undefined {
    const found = statSync(this.#pathOf(digest), { throwIfNoEntry: false });
    return found ? { digest, size: found.size } : undefined;
  }

  path(digest: Digest): string {
    if (this.stat(digest) === undefined) throw missing(digest);
    return this.#pathOf(digest);
  }

  read(digest: Digest): Readable {
    return createReadStream(this.path(digest), { highWaterMark: READ_BYTES });
  }

  async readAll(digest: Digest, options: { readonly maxBytes?: number } = {}): Promise<Uint8Array> {
    const maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
    const info = this.stat(digest);
    if (!info) throw missing(digest);
    if (info.size > maxBytes)
      throw invalidArgument(`blob ${digest} is too large: ${info.size} bytes, at most ${maxBytes}`);
    const bytes = await reading(digest, () => readFile(this.#pathOf(digest)));
    if (digestOf(bytes) === digest) return bytes;
    this.#quarantine(digest);
    throw dataLoss(`blob ${digest} is damaged`);
  }

  async delete(digest: Digest): Promise<void> {
    const trash = join(this.#ingestDir, `${ANONYMOUS_PREFIX}${randomUUID()}`);
    // Gone before this function first waits, so that what the caller has just checked still holds.
    if (!moveAway(this.#pathOf(digest), trash)) return;
    await rm(trash, { force: true });
    await syncDirectory(this.#blobsDir);
  }

  list(): BlobInfo[] {
    return readdirSync(this.#blobsDir).flatMap((name) => {
      const digest = `sha256:${name}`;
      const info = isDigest(digest) ? this.stat(digest) : undefined;
      return info ? [info] : [];
    });
  }

  async verify(digest: Digest, options: { readonly signal?: AbortSignal } = {}): Promise<boolean> {
    if (this.stat(digest) === undefined) return false;
    const hasher = new Bun.CryptoHasher('sha256');
    for await (const chunk of this.read(digest)) {
      options.signal?.throwIfAborted();
      hasher.update(chunk);
    }
    const isWhole = hasher.digest('hex') === digestHex(digest);
    if (!isWhole) this.#quarantine(digest);
    return isWhole;
  }

  async #open(ref: string, name: string): Promise<Ingest> {
    if (this.#openRefs.has(ref)) throw conflict(`ingest '${ref}' is in use`);
    this.#openRefs.add(ref);
    return openIngestFile({
      ref,
      path: join(this.#ingestDir, name),
      blobsDir: this.#blobsDir,
      onClose: () => this.#openRefs.delete(ref),
    });
  }

  #pathOf(digest: Digest): string {
    // The digest becomes a file name, so an unchecked cast must not reach the file system.
    if (!isDigest(digest)) throw invalidArgument(`invalid digest ${JSON.stringify(digest)}`);
    return join(this.#blobsDir, digestHex(digest));
  }

  #quarantine(digest: Digest): void {
    this.#logger.error('blob is damaged and has been put aside', { digest });
    renameSync(this.#pathOf(digest), join(this.#quarantineDir, digestHex(digest)));
  }

  #dropStaleIngests(maxAgeMs: number): void {
    const oldest = Date.now() - maxAgeMs;
    for (const name of readdirSync(this.#ingestDir)) {
      const path = join(this.#ingestDir, name);
      const found = statSync(path, { throwIfNoEntry: false });
      if (name.startsWith(ANONYMOUS_PREFIX) || (found && found.mtimeMs < oldest))
        rmSync(path, { force: true, recursive: true });
    }
  }
}

/** False when there is nothing to move. */
function moveAway(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return false;
    throw storeError('delete blob', error);
  }
}

const missing = (digest: Digest): Error => notFound(`blob ${digest} not found`);

async function reading<T>(digest: Digest, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') throw missing(digest);
    throw storeError(`read blob ${digest}`, error);
  }
}

function chunksOf(
  source: AsyncIterable<Uint8Array> | Uint8Array | string,
): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  if (typeof source === 'string') return [Buffer.from(source)];
  return source instanceof Uint8Array ? [source] : source;
}
