import type { Socket, TLSOptions } from 'bun';
import { unavailable } from '#base';

/** Where a stream connection leads. */
export type StreamTarget =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly tls?: StreamTls };

export interface StreamTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Accept any certificate. */
  readonly skipVerify: boolean;
}

/** Answers longer than this are not for us, in bytes. */
const MAX_UNREAD_BYTES = 64 * 1024;

/**
 * A stream connection that never buffers: `write` resolves when the kernel has all of it, so a peer that does not
 * read stops the writer, and nobody's memory grows.
 */
export class StreamConnection {
  #socket: Socket | undefined;
  readonly #closed = Promise.withResolvers<void>();
  #isClosed = false;
  #drained = Promise.withResolvers<void>();
  #arrived = Promise.withResolvers<void>();
  #unread: Buffer = Buffer.alloc(0);

  /** @throws `unavailable` when nobody answers there; the signal's reason. A connection that comes too late is closed. */
  static async open(target: StreamTarget, signal: AbortSignal): Promise<StreamConnection> {
    const connection = new StreamConnection();
    const onAbort = (): void => connection.close();
    signal.addEventListener('abort', onAbort);
    try {
      await connection.#connect(target);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
    if (connection.isClosed) throw unavailable(`connection to ${describe(target)} was closed`);
    return connection;
  }

  async #connect(target: StreamTarget): Promise<void> {
    const secured = Promise.withResolvers<void>();
    secured.promise.catch(() => {});
    const tls = target.kind === 'tcp' ? target.tls : undefined;
    const socket = {
      open: (opened: Socket) => {
        this.#socket = opened;
        if (this.#isClosed) opened.terminate();
      },
      data: (_socket: Socket, data: Buffer) => this.#receive(data),
      drain: () => this.#drained.resolve(),
      // A log sink that sends no more does not read any more either.
      end: () => this.close(),
      close: () => {
        this.#markClosed();
        secured.reject(unavailable(`connection to ${describe(target)} was closed`));
      },
      error: () => this.close(),
      handshake: (_socket: Socket, _success: boolean, error: Error | null) => {
        if (error && !tls?.skipVerify) secured.reject(unavailable(`${describe(target)}: ${error.message}`));
        else secured.resolve();
      },
    };
    try {
      if (target.kind === 'unix') await Bun.connect({ unix: target.path, socket });
      else {
        const { host: hostname, port } = target;
        await Bun.connect({ hostname, port, socket, ...(tls ? { tls: tlsOptions(tls, hostname) } : {}) });
      }
      if (tls) await secured.promise;
    } catch (error) {
      this.close();
      throw unavailable(`cannot connect to ${describe(target)}`, { cause: error });
    }
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Resolves when the kernel has taken all of it. @throws `unavailable` when the connection closes meanwhile. */
  async write(data: Uint8Array): Promise<void> {
    let rest = data;
    while (rest.length > 0) {
      this.#drained = Promise.withResolvers();
      const written = this.#isClosed ? -1 : (this.#socket?.write(rest) ?? -1);
      if (written < 0) throw unavailable('connection was closed');
      rest = rest.subarray(written);
      if (rest.length > 0) await Promise.race([this.#drained.promise, this.#closed.promise]);
    }
  }

  /** What has arrived and not been taken yet; waits until there is more than `known` bytes. @throws as {@link write}. */
  async peek(known: number): Promise<Buffer> {
    while (this.#unread.length <= known) {
      if (this.#isClosed) throw unavailable('connection was closed');
      this.#arrived = Promise.withResolvers();
      await Promise.race([this.#arrived.promise, this.#closed.promise]);
    }
    return this.#unread;
  }

  /** Forgets the first bytes of what has arrived. */
  take(count: number): void {
    this.#unread = this.#unread.subarray(count);
  }

  #receive(data: Buffer): void {
    // Of a peer that talks without being asked the newest bytes are enough.
    this.#unread = Buffer.concat([this.#unread, data]).subarray(-MAX_UNREAD_BYTES);
    this.#arrived.resolve();
  }

  #markClosed(): void {
    this.#isClosed = true;
    this.#closed.resolve();
  }

  /** At once; what the kernel has not sent yet may be lost. */
  close(): void {
    this.#markClosed();
    this.#socket?.end();
    this.#socket?.terminate();
  }
}

const describe = (target: StreamTarget): string =>
  target.kind === 'unix' ? target.path : `${target.host}:${target.port}`;

function tlsOptions({ ca, cert, key, skipVerify }: StreamTls, serverName: string): TLSOptions {
  return {
    rejectUnauthorized: !skipVerify,
    serverName,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}
