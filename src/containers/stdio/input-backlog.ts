/** Bytes that wait before clients are made to wait. Docker's pipe for the input holds as much. */
const LIMIT_BYTES = 1024 * 1024;
/** Small pieces are put together up to this: a thousand keystrokes are not to be a thousand buffers. */
const MERGE_BYTES = 16 * 1024;

/** Where the input goes. Neither call rejects. */
export interface InputTarget {
  /** Resolves when the process's side took it. */
  write(chunk: Uint8Array): Promise<void>;
  closeInput(): Promise<void>;
}

/**
 * Input of all clients on its way to one process, in order. A process that does not read its input may run for years,
 * so what waits for it must hold neither the clients it came from, which may have gone long ago, nor more than a
 * mebibyte.
 */
export class InputBacklog {
  readonly #target: InputTarget;
  readonly #chunks: Uint8Array[] = [];
  readonly #waiting = new Set<() => void>();
  #bytes = 0;
  #isPumping = false;
  #isEnding = false;

  constructor(target: InputTarget) {
    this.#target = target;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Resolves when `chunk` has been taken over, at once as long as there is room. Without room the client waits, and when
   * it goes meanwhile (`gone`) its chunk goes with it.
   */
  async push(chunk: Uint8Array, gone: AbortSignal): Promise<void> {
    while (this.#bytes >= LIMIT_BYTES) {
      if (gone.aborted) return;
      await this.#room(gone);
    }
    if (this.#isEnding) return;
    this.#append(chunk);
    void this.#pump();
  }

  /** Half-closes the process's input behind what waits. What comes later is dropped. */
  end(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    void this.#pump();
  }

  #room(gone: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const done = () => {
      this.#waiting.delete(done);
      gone.removeEventListener('abort', done);
      resolve();
    };
    this.#waiting.add(done);
    gone.addEventListener('abort', done, { once: true });
    return promise;
  }

  #append(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    const last = this.#chunks.at(-1);
    if (last && last.length + chunk.length <= MERGE_BYTES) {
      this.#chunks[this.#chunks.length - 1] = Buffer.concat([last, chunk]);
    } else this.#chunks.push(chunk);
  }

  async #pump(): Promise<void> {
    if (this.#isPumping) return;
    this.#isPumping = true;
    for (let chunk = this.#chunks.shift(); chunk; chunk = this.#chunks.shift()) {
      await this.#target.write(chunk);
      this.#bytes -= chunk.length;
      if (this.#bytes < LIMIT_BYTES) for (const wake of this.#waiting) wake();
    }
    this.#isPumping = false;
    if (this.#isEnding) await this.#target.closeInput();
  }
}
