import { createReadStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { dataLoss, internal } from '#base';
import { type Digest, digestHex } from '#oci';
import { storeError } from '../errors.ts';
import type { BlobInfo, Ingest } from '../types.ts';
import { type AppendFile, openAppendFile } from './append-file.ts';
import { syncDirectory } from './directory.ts';

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
    const file = await openAppendFile(options.path);
    try {
      const hasher = new Bun.CryptoHasher('sha256');
      if (file.initialSize > 0) await hashFile(options.path, hasher);
      return new FileIngest(options, file, hasher);
    } catch (error) {
      await file.close();
      throw error;
    }
  } catch (error) {
    options.onClose();
    throw storeError(`open ingest '${options.ref}'`, error);
  }
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
  readonly #file: AppendFile;
  readonly #hasher: Bun.CryptoHasher;
  #size: number;
  #isOpen = true;
  /** Committed, aborted or left for a resume: the file is not this object's any more. */
  #isOver = false;

  constructor(options: IngestOptions, file: AppendFile, hasher: Bun.CryptoHasher) {
    this.ref = options.ref;
    this.path = options.path;
    this.offset = file.initialSize;
    this.#options = options;
    this.#file = file;
    this.#hasher = hasher;
    this.#size = file.initialSize;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#mustBeOpen();
    this.#hasher.update(chunk);
    this.#size += chunk.length;
    try {
      await this.#file.write(chunk);
    } catch (error) {
      // What is on disk no longer matches the hash: the ingest cannot go on, but may be resumed.
      await this.#close();
      throw storeError(`write ingest '${this.ref}'`, error);
    }
  }

  async commit(expected: { readonly digest?: Digest; readonly size?: number } = {}): Promise<BlobInfo> {
    this.#mustBeOpen();
    const blob = { digest: `sha256:${this.#hasher.digest('hex')}` as Digest, size: this.#size };
    if (!matches(blob, expected)) {
      await this.abort();
      throw mismatch(blob, expected);
    }
    try {
      await this.#file.sync();
      await rename(this.path, join(this.#options.blobsDir, digestHex(blob.digest)));
      await syncDirectory(this.#options.blobsDir);
      this.#isOver = true;
    } catch (error) {
      throw storeError(`commit '${blob.digest}'`, error);
    } finally {
      await this.#close();
    }
    return blob;
  }

  async abort(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    try {
      await rm(this.path, { force: true });
    } finally {
      await this.#close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    if (!this.#isOpen) return;
    try {
      await this.#file.flush();
    } finally {
      await this.#close();
    }
  }

  async #close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#file.close();
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
