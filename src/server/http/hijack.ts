import type { Socket } from 'node:net';
import type { ClientStreams, OutputChunk } from '#containers';
import type { Connection } from './connection.ts';
import { encoderFor } from './framing.ts';
import type { HijackedConnection, HijackReply } from './reply.ts';
import { type ApiRequest, header } from './request.ts';
import { destroyWhenVanished } from './vanished.ts';

/**
 * Quiet time on TCP before the other side is asked whether it is still there. A client that has gone looks there like one that
 * has sent everything; on a Unix socket the kernel tells them apart at once.
 */
const KEEP_ALIVE_MS = 15_000;
/** Input bytes buffered before the client is made to wait. */
const HIGH_WATER_BYTES = 256 * 1024;

/**
 * Ends HTTP on the connection, sends the answer's head and hands the two directions to the reply. The connection is
 * closed in the direction to the client when `run` is done.
 */
export async function hijack(connection: Connection, request: ApiRequest, reply: HijackReply): Promise<void> {
  const { socket } = connection;
  const early = connection.takeOver();
  destroyWhenVanished(socket);
  if (socket.remoteAddress !== undefined) socket.setKeepAlive(true, KEEP_ALIVE_MS);
  socket.write(hijackHead(request, reply));
  const hijacked = new SocketStreams(socket, reply.tty, early);
  try {
    await reply.run(hijacked);
  } finally {
    await hijacked.end();
  }
}

function hijackHead(request: ApiRequest, reply: HijackReply): string {
  if (reply.handshake) {
    const lines = Object.entries(reply.handshake).map(([name, value]) => `${name}: ${value}`);
    return ['HTTP/1.1 101 Switching Protocols', ...lines, '\r\n'].join('\r\n');
  }
  const upgrade = header(request, 'upgrade');
  if (upgrade === undefined) {
    // Without an upgrade the type has always been "raw", framed or not.
    return 'HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n';
  }
  return [
    'HTTP/1.1 101 UPGRADED',
    `Content-Type: ${reply.contentType}`,
    'Connection: Upgrade',
    `Upgrade: ${reply.protocol ?? upgrade}`,
    '\r\n',
  ].join('\r\n');
}

class SocketStreams implements HijackedConnection {
  readonly #socket: Socket;
  readonly #encode: (chunk: OutputChunk) => Uint8Array;
  readonly #early: Buffer | undefined;
  readonly #gone = new AbortController();

  constructor(socket: Socket, tty: boolean, early: Buffer | undefined) {
    this.#socket = socket;
    this.#encode = encoderFor(tty);
    this.#early = early;
    socket.once('close', () => this.#gone.abort());
    if (socket.destroyed) this.#gone.abort();
  }

  streams({ stdin }: { readonly stdin: boolean }): ClientStreams {
    const input = stdin ? readInput(this.#socket, this.#early) : undefined;
    if (!stdin) this.#socket.on('data', () => {}).resume();
    return { input, signal: this.#gone.signal, write: (chunk) => this.#write(chunk) };
  }

  #write(chunk: OutputChunk): Promise<void> | void {
    if (this.#gone.signal.aborted || !this.#socket.writable) return;
    if (this.#socket.write(this.#encode(chunk))) return;
    return drained(this.#socket);
  }

  /** Sends what is left, then closes. A client that never closes its side does not keep the connection. */
  async end(): Promise<void> {
    const socket = this.#socket;
    if (socket.destroyed) return;
    socket.on('data', () => {}).resume();
    await new Promise<void>((resolve) => {
      socket.once('close', () => resolve());
      socket.end(() => resolve());
    });
    socket.destroySoon();
  }
}

/** Resolves when the socket takes more, or is gone. */
export function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  });
}

/** The client's bytes until its half close. Listens at once, so that an end before the first read is not missed. */
function readInput(socket: Socket, early: Buffer | undefined): AsyncIterable<Uint8Array> {
  const queue: Uint8Array[] = early ? [early] : [];
  let bytes = early?.byteLength ?? 0;
  let ended = false;
  let wake = () => {};
  const end = () => {
    ended = true;
    wake();
  };
  socket.on('data', (chunk: Uint8Array) => {
    queue.push(chunk);
    bytes += chunk.byteLength;
    if (bytes > HIGH_WATER_BYTES) socket.pause();
    wake();
  });
  socket.on('end', end).on('close', end).resume();
  return {
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const chunk = queue.shift();
        if (chunk) {
          bytes -= chunk.byteLength;
          if (bytes <= HIGH_WATER_BYTES) socket.resume();
          yield chunk;
        } else if (ended) return;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}
