import { close, fdatasync, fstat, fsync, open, write } from 'node:fs';
import { promisify } from 'node:util';

// Plain descriptors, because a FileHandle that is collected unclosed throws where nobody can catch it.
const openFile = promisify(open);
const closeFile = promisify(close);
const statFile = promisify(fstat);
const syncFile = promisify(fsync);
const syncData = promisify(fdatasync);

/** Small writes are gathered: a system call and a thread hop each would cost more than the copy. */
const BUFFER_BYTES = 1024 * 1024;
/** The disk is kept busy from here on, instead of getting everything at the final sync. */
const SYNC_BYTES = 32 * 1024 * 1024;

/** Opens a file to append to, and makes it when missing. */
export async function openAppendFile(path: string): Promise<AppendFile> {
  const fd = await openFile(path, 'a', 0o600);
  try {
    return new AppendFile(fd, (await statFile(fd)).size);
  } catch (error) {
    await closeFile(fd);
    throw error;
  }
}

/**
 * A file that grows. One buffer is filled while the other is being written, so that the caller's work (hashing) and the disk's
 * overlap; chunks are copied and may be reused at once. After an error only `close` makes sense.
 */
export class AppendFile {
  /** Bytes at opening. */
  readonly initialSize: number;
  readonly #fd: number;
  #front: Buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  #back: Buffer | undefined;
  #fill = 0;
  #writing: Promise<void> = Promise.resolve();
  readonly #syncData: (fd: number) => Promise<void>;
  #syncing: Promise<void> | undefined;
  #syncFailure: { readonly error: unknown } | undefined;
  #unsynced = 0;

  /** `syncData` makes what was written so far durable. Default: fdatasync(2). */
  constructor(
    fd: number,
    initialSize: number,
    options: { readonly syncData?: (fd: number) => Promise<void> } = {},
  ) {
    this.#fd = fd;
    this.initialSize = initialSize;
    this.#syncData = options.syncData ?? syncData;
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      if (this.#fill === BUFFER_BYTES) await this.#turn();
      const length = Math.min(BUFFER_BYTES - this.#fill, chunk.length - at);
      this.#front.set(chunk.subarray(at, at + length), this.#fill);
      this.#fill += length;
      at += length;
    }
  }

  /** Hands everything to the kernel. */
  async flush(): Promise<void> {
    if (this.#fill > 0) await this.#turn();
    await this.#writing;
  }

  /** Makes everything durable. */
  async sync(): Promise<void> {
    await this.flush();
    await this.#syncing;
    if (this.#syncFailure) throw this.#syncFailure.error;
    await syncFile(this.#fd);
  }

  /** Drops what has not been flushed. */
  async close(): Promise<void> {
    await Promise.allSettled([this.#writing, this.#syncing]);
    await closeFile(this.#fd);
  }

  /** Waits for the buffer on its way out, not for the one that takes its place. */
  async #turn(): Promise<void> {
    await this.#writing;
    const full = this.#front.subarray(0, this.#fill);
    [this.#front, this.#back] = [this.#back ?? Buffer.allocUnsafe(BUFFER_BYTES), this.#front];
    this.#fill = 0;
    this.#writing = this.#append(full);
    // Whoever waits next gets the error; until then it must not count as unhandled.
    this.#writing.catch(() => {});
  }

  async #append(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) at += await writeFile(this.#fd, bytes, at);
    this.#unsynced += bytes.length;
    if (this.#unsynced < SYNC_BYTES || this.#syncing) return;
    this.#unsynced = 0;
    // Kept for the final sync: the kernel tells of a failed write-back only once for each descriptor.
    this.#syncing = this.#syncData(this.#fd)
      .catch((error: unknown) => {
        this.#syncFailure = { error };
      })
      .finally(() => {
        this.#syncing = undefined;
      });
  }
}

function writeFile(fd: number, bytes: Uint8Array, at: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, at, bytes.length - at, null, (error, written) =>
      error ? reject(error) : resolve(written),
    );
  });
}
