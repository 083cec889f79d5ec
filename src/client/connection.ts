import type { Socket, SocketHandler } from 'bun';
import { errnoCode, GantryError } from '#base';
import { unlessAborted } from './abort.ts';
import type { Endpoint, TlsMaterial } from './endpoint.ts';
import { connectionFailed, connectionLost, tlsFailed, tlsRefused } from './errors.ts';

/** Bytes buffered before the socket is paused: a slow reader stops the sender, not this process's memory. */
const HIGH_WATER_BYTES = 256 * 1024;

type Handler = SocketHandler<undefined>;

/** One duplex connection with pull reading, backpressure both ways and half close. */
export class Connection {
  readonly #endpoint: Endpoint;
  #socket: Socket | undefined;
  #chunks: Uint8Array[] = [];
  #bufferedBytes = 0;
  #paused = false;
  /** Set once no more data can come. */
  #ended = false;
  #closed = false;
  #received = false;
  /** Settles with TLS's handshake. */
  readonly #handshake = Promise.withResolvers<void>();
  #error: Error | undefined;
  #wakeReader: (() => void) | undefined;
  #wakeWriter: (() => void) | undefined;
  #writing: Promise<void> = Promise.resolve();
  onClose: (() => void) | undefined;

  private constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  /**
   * @throws `unavailable` or `forbidden` when nobody answers there, or somebody who cannot prove to be the right one;
   * `canceled` by `signal`.
   */
  static async open(endpoint: Endpoint, signal?: AbortSignal): Promise<Connection> {
    const connection = new Connection(endpoint);
    try {
      await unlessAborted(connection.#establish(), signal);
      return connection;
    } catch (error) {
      connection.destroy();
      throw error;
    }
  }

  async #establish(): Promise<void> {
    try {
      this.#socket = await connect(this.#endpoint, this.#handler());
    } catch (error) {
      throw connectionFailed(this.#endpoint.url, error);
    }
    // Nobody waits for it any more.
    if (this.#closed) this.#socket.terminate();
    if (tlsOf(this.#endpoint)) await this.#handshake.promise;
  }

  get isOpen(): boolean {
    return !this.#closed && !this.#ended;
  }

  #handler(): Handler {
    // Who does not wait for the handshake has no use for its failure.
    this.#handshake.promise.catch(() => {});
    return {
      handshake: (_socket, proven, error) => this.#shakeHands(proven, error),
      data: (_socket, data) => this.#push(data),
      drain: () => this.#wake('writer'),
      end: () => {
        this.#ended = true;
        this.#wake('reader');
      },
      close: (_socket, error) => this.#finish(error),
      error: (_socket, error) => this.#finish(error),
      connectError: (_socket, error) => this.#finish(error),
    };
  }

  #shakeHands(proven: boolean, error: Error | null): void {
    const tls = tlsOf(this.#endpoint);
    if (proven || (tls && !tls.verify && !isProtocolError(error))) this.#handshake.resolve();
    else this.destroy(tlsFailed(this.#endpoint.url, error));
  }

  #push(data: Uint8Array): void {
    this.#received = true;
    this.#chunks.push(data);
    this.#bufferedBytes += data.length;
    if (this.#bufferedBytes > HIGH_WATER_BYTES && !this.#paused) {
      this.#paused = true;
      this.#socket?.pause();
    }
    this.#wake('reader');
  }

  #finish(error: Error | undefined): void {
    this.#error ??= error;
    this.#ended = true;
    if (!this.#closed) {
      this.#closed = true;
      this.onClose?.();
    }
    this.#handshake.reject(this.#failure());
    this.#wake('reader');
    this.#wake('writer');
  }

  #wake(who: 'reader' | 'writer'): void {
    const wake = who === 'reader' ? this.#wakeReader : this.#wakeWriter;
    if (who === 'reader') this.#wakeReader = undefined;
    else this.#wakeWriter = undefined;
    wake?.();
  }

  /** The next bytes as they came; undefined at the end. One reader at a time. */
  async read(): Promise<Uint8Array | undefined> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk) {
        this.#bufferedBytes -= chunk.length;
        if (this.#paused && this.#bufferedBytes <= HIGH_WATER_BYTES / 2) {
          this.#paused = false;
          this.#socket?.resume();
        }
        return chunk;
      }
      if (this.#ended) {
        if (this.#error || this.#isRefused()) throw this.#failure();
        return undefined;
      }
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve;
      });
    }
  }

  /** Puts bytes back in front, for the parser that read too far. */
  unread(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.unshift(chunk);
    this.#bufferedBytes += chunk.length;
  }

  /** Resolves when the kernel has taken all of it. Calls are served in order. */
  write(data: Uint8Array): Promise<void> {
    const done = this.#writing.then(() => this.#writeAll(data));
    this.#writing = done.catch(() => {});
    return done;
  }

  async #writeAll(data: Uint8Array): Promise<void> {
    let offset = 0;
    while (offset < data.length) {
      const socket = this.#socket;
      if (this.#closed || !socket) throw this.#failure();
      const written = socket.write(data.subarray(offset));
      if (written < 0) throw this.#failure();
      offset += written;
      if (offset < data.length) {
        await new Promise<void>((resolve) => {
          this.#wakeWriter = resolve;
        });
      }
    }
  }

  /** With TLS 1.3 a client learns only after the handshake that its certificate was not good enough. */
  #isRefused(): boolean {
    return !this.#received && tlsOf(this.#endpoint) !== undefined;
  }

  #failure(): Error {
    if (this.#error instanceof GantryError) return this.#error;
    return this.#isRefused() ? tlsRefused(this.#error) : connectionLost(this.#endpoint.url, this.#error);
  }

  /** Half close after everything written: the peer sees the end of our data, we go on reading. */
  closeWrite(): Promise<void> {
    const done = this.#writing.then(() => {
      this.#socket?.flush();
      this.#socket?.shutdown();
    });
    this.#writing = done.catch(() => {});
    return done;
  }

  /** Closes both ways at once; a waiting reader sees `error`, or the end without one. */
  destroy(error?: Error): void {
    this.#error ??= error;
    this.#socket?.terminate();
    this.#finish(error);
  }
}

const tlsOf = (endpoint: Endpoint): TlsMaterial | undefined =>
  endpoint.kind === 'tcp' ? endpoint.tls : undefined;

/** No encrypted connection at all, in contrast to one with an unknown partner. */
const isProtocolError = (error: Error | null): boolean => errnoCode(error) === 'EPROTO';

function connect(endpoint: Endpoint, socket: Handler): Promise<Socket> {
  const shared = { socket, allowHalfOpen: true, data: undefined };
  if (endpoint.kind === 'unix') return Bun.connect({ ...shared, unix: endpoint.path });
  const base = { ...shared, hostname: endpoint.host, port: endpoint.port };
  if (!endpoint.tls) return Bun.connect(base);
  const { ca, cert, key, verify } = endpoint.tls;
  const tls = {
    rejectUnauthorized: verify,
    serverName: endpoint.host,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
  return Bun.connect({ ...base, tls });
}
