import { dlopen } from 'bun:ffi';
import { closeSync, readSync } from 'node:fs';
import type { Socket, TCPSocketListener } from 'bun';

/** A sink for tests: what it received, as one text a message. */
export interface TestServer extends Disposable {
  readonly received: string[];
}

const AF_UNIX = 1;
const DATAGRAM = 2 | 0x80000 | 0x800;
const MAX_DATAGRAM = 256 * 1024;

/** A Unix datagram socket. Without `isReading` its queue fills up, as with a daemon that hangs. */
export class UnixDatagramServer implements TestServer {
  readonly received: string[] = [];
  readonly #fd: number;
  readonly #timer: ReturnType<typeof setInterval>;
  isReading = true;

  constructor(path: string) {
    const { symbols } = dlopen('libc.so.6', {
      socket: { args: ['i32', 'i32', 'i32'], returns: 'i32' },
      bind: { args: ['i32', 'ptr', 'u32'], returns: 'i32' },
    });
    const address = Buffer.alloc(110);
    address.writeUInt16LE(AF_UNIX, 0);
    address.write(path, 2);
    this.#fd = symbols.socket(AF_UNIX, DATAGRAM, 0);
    if (symbols.bind(this.#fd, address, 2 + path.length + 1) !== 0) throw new Error(`cannot bind ${path}`);
    this.#timer = setInterval(() => this.#drain(), 1);
  }

  #drain(): void {
    const buffer = Buffer.alloc(MAX_DATAGRAM);
    while (this.isReading) {
      try {
        this.received.push(buffer.toString('latin1', 0, readSync(this.#fd, buffer)));
      } catch {
        return;
      }
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    closeSync(this.#fd);
  }
}

export async function udpServer(): Promise<TestServer & { readonly port: number }> {
  const received: string[] = [];
  const socket = await Bun.udpSocket({
    hostname: '127.0.0.1',
    socket: { data: (_socket, data) => void received.push(data.toString()) },
  });
  return { received, port: socket.port, [Symbol.dispose]: () => socket.close() };
}

export interface StreamServerOptions {
  /** A path, or a port of 127.0.0.1 (0: any). */
  readonly at: string | number;
  /** Cuts what has arrived into messages and says how many bytes they take; may answer. */
  readonly cut: (data: Buffer, answer: (data: Uint8Array) => void) => { messages: string[]; size: number };
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** A stream server that can stop reading, and drop its clients. */
export class StreamServer implements TestServer {
  readonly received: string[] = [];
  readonly #listener: { stop(closeActive?: boolean): void };
  readonly port: number;
  readonly #clients = new Set<Socket<{ rest: Buffer }>>();
  connections = 0;
  isReading = true;

  constructor({ at, cut, tls }: StreamServerOptions) {
    const socket = {
      open: (client: Socket<{ rest: Buffer }>) => {
        client.data = { rest: Buffer.alloc(0) };
        this.connections += 1;
        this.#clients.add(client);
        if (!this.isReading) client.pause();
      },
      data: (client: Socket<{ rest: Buffer }>, data: Buffer) => {
        const all = Buffer.concat([client.data.rest, data]);
        const { messages, size } = cut(all, (answer) => client.write(answer));
        this.received.push(...messages);
        client.data.rest = Buffer.from(all.subarray(size));
      },
      close: (client: Socket<{ rest: Buffer }>) => void this.#clients.delete(client),
      error: () => {},
    };
    if (typeof at === 'string') {
      this.#listener = Bun.listen<{ rest: Buffer }>({ unix: at, socket });
      this.port = 0;
    } else {
      const options = { hostname: '127.0.0.1', port: at, socket, ...(tls ? { tls } : {}) };
      const listener: TCPSocketListener<{ rest: Buffer }> = Bun.listen<{ rest: Buffer }>(options);
      this.#listener = listener;
      this.port = listener.port;
    }
  }

  /** Goes on reading. */
  resume(): void {
    this.isReading = true;
    for (const client of this.#clients) client.resume();
  }

  [Symbol.dispose](): void {
    this.#listener.stop(true);
    for (const client of this.#clients) client.terminate();
  }
}

/** Messages that end with a newline. */
export const cutLines: StreamServerOptions['cut'] = (data) => {
  const end = data.lastIndexOf(0x0a) + 1;
  return { messages: data.toString('utf8', 0, end).split('\n').slice(0, -1), size: end };
};

/** Messages with their length in front (RFC 5425). */
export const cutCounted: StreamServerOptions['cut'] = (data) => {
  const messages: string[] = [];
  let offset = 0;
  for (;;) {
    const space = data.indexOf(0x20, offset);
    const end = space + 1 + Number(data.toString('latin1', offset, space));
    if (space < 0 || data.length < end) return { messages, size: offset };
    messages.push(data.toString('utf8', space + 1, end));
    offset = end;
  }
};
