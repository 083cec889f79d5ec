import { setTimeout as sleep } from 'node:timers/promises';
import type { Socket } from 'bun';
import { errnoCode } from '#base';
import type { Sys } from '#sys';
import { connectFd } from './connect-fd.ts';

/** First byte of each packet (conmon's pipe numbers). */
const STDERR_PACKET = 3;
/** conmon reads packets of at most 32 KiB and would cut longer ones. */
const MAX_INPUT_PACKET = 16 * 1024;
/** conmon's listen backlog is 10; a burst of attach calls waits its turn. */
const CONNECT_ATTEMPTS = 500;
const CONNECT_PAUSE_MS = 2;

export interface ConnectionEvents {
  output(stream: 'stdout' | 'stderr', chunk: Uint8Array): void;
  /** The process side has closed; all output was delivered before. */
  ended(): void;
}

/** One connection to conmon's attach socket (SOCK_SEQPACKET: one packet, one callback). It always reads. */
export class AttachConnection {
  readonly #events: ConnectionEvents;
  readonly #queue: { readonly packet: Uint8Array; readonly taken: () => void }[] = [];
  #socket: Socket<undefined> | undefined;
  #closingInput = false;
  #ended = false;

  private constructor(events: ConnectionEvents) {
    this.#events = events;
  }

  static async open(
    path: string,
    sys: Pick<Sys, 'sockets'>,
    events: ConnectionEvents,
  ): Promise<AttachConnection> {
    const fd = await connect(path, sys);
    const connection = new AttachConnection(events);
    connection.#socket = await connectFd(fd, {
      data: (_, packet) => connection.#receive(packet),
      drain: () => connection.#flush(),
      end: () => connection.#finish(),
      close: () => connection.#finish(),
      error: () => connection.#finish(),
    });
    return connection;
  }

  /** Resolves when the kernel took the bytes, or when nobody can take them any more. */
  async write(chunk: Uint8Array): Promise<void> {
    let last: Promise<void> | undefined;
    for (let at = 0; at < chunk.length; at += MAX_INPUT_PACKET)
      last = this.#enqueue(chunk.subarray(at, at + MAX_INPUT_PACKET));
    await last;
  }

  /** Half-closes stdin once everything written so far is on its way. */
  closeInput(): void {
    this.#closingInput = true;
    this.#flush();
  }

  close(): void {
    this.#socket?.terminate();
    this.#finish();
  }

  #enqueue(packet: Uint8Array): Promise<void> {
    if (this.#ended || this.#closingInput) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#queue.push({ packet, taken: resolve });
    this.#flush();
    return promise;
  }

  #flush(): void {
    for (let next = this.#queue[0]; next; next = this.#queue[0]) {
      if ((this.#socket?.write(next.packet) ?? 0) < next.packet.length) return;
      this.#queue.shift();
      next.taken();
    }
    if (this.#closingInput && !this.#ended) this.#socket?.shutdown();
  }

  #receive(packet: Uint8Array): void {
    // The buffer belongs to the socket; what is handed on must be ours.
    const chunk = new Uint8Array(packet.subarray(1));
    this.#events.output(packet[0] === STDERR_PACKET ? 'stderr' : 'stdout', chunk);
  }

  #finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const waiting of this.#queue.splice(0)) waiting.taken();
    this.#socket?.terminate();
    this.#events.ended();
  }
}

async function connect(path: string, sys: Pick<Sys, 'sockets'>): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return sys.sockets.connectSeqpacket(path);
    } catch (error) {
      if (errnoCode(error) !== 'EAGAIN' || attempt === CONNECT_ATTEMPTS) throw error;
      await sleep(CONNECT_PAUSE_MS);
    }
  }
}
