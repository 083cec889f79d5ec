import type { ClientStreams, OutputChunk } from '#containers';
import type { HijackedConnection } from '../reply.ts';
import { CLOSE, closeFrame, encodeFrame, FrameDecoder, OPCODE } from './frames.ts';

/** Input held for a process that does not read before the client is made to wait. */
const HIGH_WATER_BYTES = 256 * 1024;

export interface WebSocketOptions {
  readonly stdin: boolean;
  /** How output is sent. Binary since API 1.28. */
  readonly payload: 'binary' | 'text';
}

/**
 * Speaks WebSocket on a connection for as long as `run` takes, then closes it in order. Output of both streams comes as
 * messages, without telling which stream it is. The client's close frame, or an end without one, is its leaving.
 */
export async function serveWebSocket(
  connection: HijackedConnection,
  options: WebSocketOptions,
  run: (streams: ClientStreams) => Promise<void>,
): Promise<void> {
  const raw = connection.streams({ stdin: true });
  const streams = new WebSocketStreams(raw, options);
  const reading = streams.read();
  try {
    await run(streams);
  } finally {
    await streams.close();
    // It ends with the connection, which the caller closes next.
    void reading;
  }
}

class WebSocketStreams implements ClientStreams {
  readonly #raw: ClientStreams;
  readonly #options: WebSocketOptions;
  readonly #gone = new AbortController();
  readonly #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #hasEnded = false;
  #isClosed = false;
  #wakeReader = () => {};
  #wakeWriter = () => {};

  constructor(raw: ClientStreams, options: WebSocketOptions) {
    this.#raw = raw;
    this.#options = options;
    if (raw.signal.aborted) this.#leave();
    else raw.signal.addEventListener('abort', () => this.#leave(), { once: true });
  }

  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  get input(): AsyncIterable<Uint8Array> | undefined {
    return this.#options.stdin ? this.#takeInput() : undefined;
  }

  write({ stream, data }: OutputChunk): Promise<void> | void {
    if (this.#isClosed) return;
    return this.#raw.write({ stream, data: encodeFrame(OPCODE[this.#options.payload], data) });
  }

  /** Reads until the client leaves; answers pings. */
  async read(): Promise<void> {
    const decoder = new FrameDecoder();
    try {
      for await (const chunk of this.#raw.input ?? []) {
        for (const event of decoder.push(chunk)) {
          if (event.kind === 'close') return;
          if (event.kind === 'ping') await this.#send(encodeFrame(OPCODE.pong, event.data));
          else await this.#enqueue(event.data);
        }
      }
    } catch {
      await this.close(CLOSE.protocolError);
    } finally {
      this.#leave();
    }
  }

  /** Sends the close frame, once. */
  async close(code: number = CLOSE.normal): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#send(closeFrame(code));
  }

  async #send(frame: Uint8Array): Promise<void> {
    await this.#raw.write({ stream: 'stdout', data: frame });
  }

  /** Input first: who reads it sees its end before the client is gone. */
  #leave(): void {
    this.#hasEnded = true;
    this.#wakeReader();
    this.#wakeWriter();
    this.#gone.abort();
  }

  async #enqueue(data: Uint8Array): Promise<void> {
    if (!this.#options.stdin) return;
    this.#queue.push(data);
    this.#queuedBytes += data.length;
    this.#wakeReader();
    while (this.#queuedBytes > HIGH_WATER_BYTES && !this.#hasEnded) {
      await new Promise<void>((resolve) => {
        this.#wakeWriter = resolve;
      });
    }
  }

  async *#takeInput(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const data = this.#queue.shift();
      if (data) {
        this.#queuedBytes -= data.length;
        this.#wakeWriter();
        yield data;
      } else if (this.#hasEnded) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wakeReader = resolve;
        });
      }
    }
  }
}
