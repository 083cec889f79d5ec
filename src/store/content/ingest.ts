import { close, createReadStream, fstat, fsync, open, write } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { dataLoss, internal } from '#base';
import { type Digest, digestHex } from '#oci';
import { storeError } from '../errors.ts';
import type { BlobInfo, Ingest } from '../types.ts';
import { syncDirectory } from './directory.ts';

// Plain descriptors, because a FileHandle that is collected unclosed throws where nobody can catch it.
const openFile = promisify(open);
const closeFile = promisify(close);
const statFile = promisify(fstat);
const syncFile = promisify(fsync);

/** Small writes are gathered: a system call and a thread hop each would cost more than the copy. */
const BUFFER_BYTES = 1024 * 1024;
const READ_BYTES = 1024 * 1024;

export interface IngestOptions {
  readonly ref: string;
  /** The growing file. */
  readonly path: string;
  readonly blobsDir: string;
  /** Called once when the ingest is over, however it ended. */
  readonly onClose: () => void;
}

/** Opens the file of an ingest and hashes what is there already. */
export async function openIngestFile(options: IngestOptions): Promise<FileIngest> {
  try {
    const hasher = new Bun.CryptoHasher('sha256');
    const fd = await openFile(options.path, 'a', 0o600);
    try {
      const { size } = await statFile(fd);
      if (size > 0) await hashFile(options.path, hasher);
      return new FileIngest(options, fd, hasher, size);
    } catch (error) {
      await closeFile(fd);
      throw error;
    }
  } catch (error) {
    options.onClose();
    throw storeError(`open ingest '${options.ref}'`, error);
  }
}

function writeFile(fd: number, bytes: Uint8Array, at: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, at, bytes.length - at, null, (error, written) =>
      error ? reject(error) : resolve(written),
    );
  });
}

async function hashFile(path: string, hasher: Bun.CryptoHasher): Promise<void> {
  for await (const chunk of createReadStream(path, { highWaterMark: READ_BYTES })) hasher.update(chunk);
}

/** An {@link Ingest} that grows a file and renames it into the blob directory. */
class FileIngest implements Ingest {
  readonly ref: string;
  readonly offset: number;
  readonly path: string;
  readonly #options: IngestOptions;
  readonly #fd: number;
  readonly #hasher: Bun.CryptoHasher;
  #buffer: Buffer | undefined;
  #fill = 0;
  #size: number;
  #isOpen = true;

  constructor(options: IngestOptions, fd: number, hasher: Bun.CryptoHasher, size: number) {
    this.ref = options.ref;
    this.path = options.path;
    this.offset = size;
    this.#options = options;
    this.#fd = fd;
    this.#hasher = hasher;
    this.#size = size;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#mustBeOpen();
    this.#hasher.update(chunk);
    this.#size += chunk.length;
    if (this.#fill + chunk.length > BUFFER_BYTES) await this.#flush();
    if (chunk.length >= BUFFER_BYTES) {
      await this.#append(chunk);
      return;
    }
    this.#buffer ??= Buffer.allocUnsafe(BUFFER_BYTES);
    this.#buffer.set(chunk, this.#fill);
    this.#fill += chunk.length;
  }

  async commit(expected: { readonly digest?: Digest; readonly size?: number } = {}): Promise<BlobInfo> {
    this.#mustBeOpen();
    const blob = { digest: `sha256:${this.#hasher.digest('hex')}` as Digest, size: this.#size };
    if (!matches(blob, expected)) {
      await this.abort();
      throw mismatch(blob, expected);
    }
    try {
      await this.#flush();
      await syncFile(this.#fd);
      await rename(this.path, join(this.#options.blobsDir, digestHex(blob.digest)));
      await syncDirectory(this.#options.blobsDir);
    } catch (error) {
      throw storeError(`commit '${blob.digest}'`, error);
    } finally {
      await this.#close();
    }
    return blob;
  }

  async abort(): Promise<void> {
    if (!this.#isOpen) return;
    this.#fill = 0;
    await rm(this.path, { force: true });
    await this.#close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOpen) return;
    try {
      await this.#flush();
    } finally {
      await this.#close();
    }
  }

  async #flush(): Promise<void> {
    const length = this.#fill;
    if (length === 0 || !this.#buffer) return;
    this.#fill = 0;
    await this.#append(this.#buffer.subarray(0, length));
  }

  async #append(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length; ) at += await writeFile(this.#fd, bytes, at);
    } catch (error) {
      // What is on disk no longer matches the hash: the ingest cannot go on, but may be resumed.
      await this.#close();
      throw storeError(`write ingest '${this.ref}'`, error);
    }
  }

  async #close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#buffer = undefined;
    await closeFile(this.#fd);
    this.#options.onClose();
  }

  #mustBeOpen(): void {
    if (!this.#isOpen) throw internal(`ingest '${this.ref}' is closed`);
  }
}

interface Expected {
  readonly digest?: Digest;
  readonly size?: number;
}

const matches = (blob: BlobInfo, expected: Expected): boolean =>
  (expected.digest ?? blob.digest) === blob.digest && (expected.size ?? blob.size) === blob.size;

function mismatch(blob: BlobInfo, expected: Expected): Error {
  const wanted = [expected.digest, expected.size === undefined ? undefined : `${expected.size} bytes`];
  return dataLoss(
    `content does not match: expected ${wanted.filter(Boolean).join(', ')}, got ${blob.digest}, ${blob.size} bytes`,
  );
}
