import type { AttachStream, Task } from '#runtime';
import type { OutputChunk } from '../types.ts';
import type { ClientQueue } from './client-queue.ts';
import { InputBacklog } from './input-backlog.ts';

/** One attached client's part of the output. */
export interface SessionClient {
  readonly queue: ClientQueue;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

/**
 * The standard streams of one run of a container: one connection to the monitor, shared by all attached clients.
 * Clients may join before the run begins; they then miss nothing.
 */
export class StdioSession {
  readonly #clients = new Set<SessionClient>();
  readonly #ended = Promise.withResolvers<void>();
  readonly #connected = Promise.withResolvers<void>();
  /** Made once: each race would leave something on promises that live as long as the run. */
  readonly #begun = Promise.race([this.#connected.promise, this.#ended.promise]);
  readonly #input = new InputBacklog({
    write: async (chunk) => {
      await this.#begun;
      await this.#stream?.write(chunk).catch(() => {});
    },
    closeInput: async () => {
      await this.#begun;
      this.#stream?.closeInput();
    },
  });
  #stream: AttachStream | undefined;
  #connecting: Promise<void> | undefined;
  #isEnded = false;

  /** Resolves when the run is over and all output has been handed to the clients' queues. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  get clientCount(): number {
    return this.#clients.size;
  }

  /** Output from now on goes to `client`, until disposed. */
  join(client: SessionClient): Disposable {
    if (this.#isEnded) client.queue.end();
    else this.#clients.add(client);
    return {
      [Symbol.dispose]: () => {
        this.#clients.delete(client);
        client.queue.close();
      },
    };
  }

  /**
   * Connects to the task, once. Call it before the task starts so that nothing is missed. After a failure (no descriptors,
   * say) the next call tries again.
   */
  connect(task: Pick<Task, 'attach'>): Promise<void> {
    this.#connecting ??= this.#open(task).catch((error) => {
      this.#connecting = undefined;
      throw error;
    });
    return this.#connecting;
  }

  async #open(task: Pick<Task, 'attach'>): Promise<void> {
    const stream = await task.attach();
    if (this.#isEnded) return stream.close();
    this.#stream = stream;
    stream.onOutput((name, data) => this.#deliver({ stream: name, data }));
    void stream.ended.then(() => this.end());
    this.#connected.resolve();
  }

  #deliver(chunk: OutputChunk): void {
    for (const client of this.#clients) if (client[chunk.stream]) client.queue.push(chunk);
  }

  /** Input for the process, also before the run begins: see {@link InputBacklog.push}. Quietly drops what comes after its end. */
  write(chunk: Uint8Array, gone: AbortSignal): Promise<void> {
    return this.#input.push(chunk, gone);
  }

  /** Half-closes the process's stdin behind what was written. */
  closeInput(): void {
    this.#input.end();
  }

  /** The run is over, or will never begin. Idempotent. */
  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    for (const client of this.#clients) client.queue.end();
    this.#clients.clear();
    this.#stream?.close();
    this.#ended.resolve();
  }

  /** Waits for the last output after the process has ended, but not longer than `timeoutMs`. */
  async drain(timeoutMs: number): Promise<void> {
    if (this.#stream) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, timeoutMs);
      await Promise.race([this.#ended.promise, promise]);
      clearTimeout(timer);
    }
    this.end();
  }
}
