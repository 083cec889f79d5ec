import type { AttachStream } from '../types.ts';

type OutputListener = Parameters<AttachStream['onOutput']>[0];
type Chunk = readonly ['stdout' | 'stderr', Uint8Array];

/** The standard streams of one fake process: fan-out of output to attached clients, and a record of the input. */
export class FakeStreams {
  readonly #clients = new Set<FakeAttach>();
  readonly #input: Uint8Array[] = [];
  #ended = false;
  /** True after a client half-closed its input. */
  inputClosed = false;
  /** Called for each piece of input, for tests that answer to it. */
  onInput: ((chunk: Uint8Array) => void) | undefined;

  attach(): AttachStream {
    const client = new FakeAttach(this, () => this.#clients.delete(client));
    if (this.#ended) client.end();
    else this.#clients.add(client);
    return client;
  }

  /** Number of attach connections that are open. */
  get clients(): number {
    return this.#clients.size;
  }

  /** Everything written to stdin so far, as text. */
  get input(): string {
    return Buffer.concat(this.#input).toString();
  }

  emit(stream: 'stdout' | 'stderr', data: string | Uint8Array): void {
    const chunk = typeof data === 'string' ? new TextEncoder().encode(data) : data;
    for (const client of this.#clients) client.push(stream, chunk);
  }

  takeInput(chunk: Uint8Array): void {
    if (this.#ended) return;
    this.#input.push(chunk.slice());
    this.onInput?.(chunk);
  }

  end(): void {
    this.#ended = true;
    for (const client of this.#clients) client.end();
    this.#clients.clear();
  }
}

class FakeAttach implements AttachStream {
  readonly #streams: FakeStreams;
  readonly #drop: () => void;
  readonly #ended = Promise.withResolvers<void>();
  #held: Chunk[] = [];
  #listener: OutputListener | undefined;

  constructor(streams: FakeStreams, drop: () => void) {
    this.#streams = streams;
    this.#drop = drop;
  }

  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  onOutput(listener: OutputListener): void {
    this.#listener = listener;
    for (const chunk of this.#held) listener(...chunk);
    this.#held = [];
  }

  push(...chunk: Chunk): void {
    if (this.#listener) this.#listener(...chunk);
    else this.#held.push(chunk);
  }

  end(): void {
    this.#ended.resolve();
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#streams.takeInput(chunk);
  }

  closeInput(): void {
    this.#streams.inputClosed = true;
  }

  close(): void {
    this.#drop();
    this.end();
  }
}
