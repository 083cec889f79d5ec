import type { OutputChunk } from '../types.ts';
import { SpillFile } from './spill-file.ts';

export interface ClientQueueOptions {
  readonly write: (chunk: OutputChunk) => Promise<void> | void;
  /** Directory for the overflow, on a real disk. */
  readonly spillDirectory: string;
  /** Bytes kept in memory before the overflow starts. Default 1 MiB. */
  readonly memoryBytes?: number;
  /** Bytes on disk at which the client is given up. Default 4 GiB. */
  readonly spillBytes?: number;
}

const MEMORY_BYTES = 1024 * 1024;
const SPILL_BYTES = 4 * 1024 ** 3;

/**
 * Output on its way to one client, in order and complete, however slowly the client reads. The process is never
 * held up: what the client has not taken waits in memory, and beyond that in an unnamed file.
 */
export class ClientQueue {
  readonly #options: ClientQueueOptions;
  readonly #done = Promise.withResolvers<void>();
  #memory: OutputChunk[] = [];
  #memoryBytes = 0;
  #spill: SpillFile | undefined;
  #isPumping = false;
  #isEnding = false;
  #isClosed = false;

  constructor(options: ClientQueueOptions) {
    this.#options = options;
  }

  /** Resolves when everything has been written after {@link end}, or upon {@link close}. Never rejects. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  push(chunk: OutputChunk): void {
    if (this.#isClosed || this.#isEnding || chunk.data.length === 0) return;
    if (this.#isPumping) {
      this.#enqueue(chunk);
      return;
    }
    const written = this.#write(chunk);
    if (written) void this.#pump(written);
  }

  /** No more output will come. */
  end(): void {
    this.#isEnding = true;
    if (!this.#isPumping) this.close();
  }

  /** Drops what waits. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#memory = [];
    this.#spill?.[Symbol.dispose]();
    this.#spill = undefined;
    this.#done.resolve();
  }

  #enqueue(chunk: OutputChunk): void {
    const { memoryBytes = MEMORY_BYTES, spillBytes = SPILL_BYTES, spillDirectory } = this.#options;
    const isSpilling = this.#spill !== undefined && this.#spill.pendingBytes > 0;
    if (!isSpilling && this.#memoryBytes + chunk.data.length <= memoryBytes) {
      this.#memory.push(chunk);
      this.#memoryBytes += chunk.data.length;
      return;
    }
    try {
      this.#spill ??= new SpillFile(spillDirectory);
      this.#spill.push(chunk);
      if (this.#spill.diskBytes > spillBytes) this.close();
    } catch {
      // A full disk must not stop the container: this client is given up.
      this.close();
    }
  }

  #write(chunk: OutputChunk): Promise<void> | undefined {
    try {
      return this.#options.write(chunk) ?? undefined;
    } catch {
      this.close();
      return undefined;
    }
  }

  async #pump(first: Promise<void>): Promise<void> {
    this.#isPumping = true;
    try {
      await first;
      for (let chunk = this.#next(); chunk; chunk = this.#next()) await this.#write(chunk);
    } catch {
      this.close();
    }
    this.#isPumping = false;
    if (this.#isEnding) this.close();
  }

  /** Memory first: it always holds what came before the overflow. */
  #next(): OutputChunk | undefined {
    if (this.#isClosed) return undefined;
    const chunk = this.#memory.shift();
    if (chunk) this.#memoryBytes -= chunk.data.length;
    return chunk ?? this.#spill?.shift();
  }
}
