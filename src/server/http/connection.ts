import type { EventEmitter } from 'node:events';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';

type Listener = (...args: unknown[]) => void;

const HTTP_EVENTS = ['data', 'end', 'drain'] as const;
/** Requests that may take the connection over, as their first line begins. */
const HIJACK_LINE = /^POST \S*\/(?:containers\/[^/ ]+\/attach|exec\/[^/ ]+\/start)(?:\?\S*)? HTTP\/1/;
const MAX_HEAD_BYTES = 64 * 1024;

/**
 * One accepted connection: fed to the HTTP parser until a handler takes it over.
 *
 * The parser reads on after a request, so whatever a client sends behind a hijack request that has no `Upgrade` header
 * (docker-py, old clients) would be taken for the next request. Two measures: taking over removes the parser from the
 * socket, and bytes that came behind such a request, in whatever packets, are held back from the parser.
 */
export class Connection {
  readonly socket: Socket;
  #busy = false;
  /** When the head that is being read began, in milliseconds; undefined: none is. A new connection has to send one. */
  #headSince: number | undefined = Date.now();
  #held: Buffer | undefined;
  #head: Buffer | undefined;
  /** Bytes that the parser has yet to get of a request that may take over; undefined: there is none. */
  #left: number | undefined;
  #parse: ((chunk: Buffer) => void) | undefined;
  readonly #listeners: { readonly event: string; readonly listener: Listener }[] = [];

  constructor(server: Server, socket: Socket) {
    this.socket = socket;
    const before = new Map(HTTP_EVENTS.map((event) => [event, new Set(socket.listeners(event))]));
    server.emit('connection', socket);
    for (const event of HTTP_EVENTS) {
      for (const listener of socket.listeners(event)) {
        if (!before.get(event)?.has(listener)) {
          this.#listeners.push({ event, listener: listener as Listener });
        }
      }
    }
    this.#stepBetween(socket);
  }

  /** A request is being read or answered. */
  get busy(): boolean {
    return this.#busy;
  }

  /** The head of a request has been read. */
  begin(): void {
    this.#busy = true;
    this.#headSince = undefined;
  }

  /** A head has been on its way for so long at `nowMs`. */
  isLate(nowMs: number, timeoutMs: number): boolean {
    return this.#headSince !== undefined && nowMs - this.#headSince >= timeoutMs;
  }

  /** Puts {@link #receive} in front of the parser's data listener. */
  #stepBetween(socket: Socket): void {
    const index = this.#listeners.findIndex(({ event }) => event === 'data');
    const parser = this.#listeners[index];
    if (!parser) return;
    this.#parse = parser.listener as unknown as (chunk: Buffer) => void;
    socket.off('data', this.#parse);
    const receive = (chunk: Buffer) => this.#receive(chunk);
    socket.on('data', receive);
    this.#listeners[index] = { event: 'data', listener: receive as unknown as Listener };
  }

  #receive(chunk: Buffer): void {
    if (this.#left !== undefined) {
      this.#pass(chunk, this.#left);
      return;
    }
    if (!this.#busy) this.#headSince ??= Date.now();
    if (this.#busy || !this.#mayHijack(chunk)) {
      this.#parse?.(chunk);
      return;
    }
    const data = this.#head ? Buffer.concat([this.#head, chunk]) : chunk;
    const end = requestEnd(data);
    this.#head = end === undefined && data.length < MAX_HEAD_BYTES ? data : undefined;
    if (!this.#head) this.#pass(data, end ?? Number.POSITIVE_INFINITY);
  }

  /** Gives the parser what is left of the request, and holds back what is behind it. */
  #pass(data: Buffer, left: number): void {
    this.#left = Math.max(0, left - data.length);
    if (left < data.length) {
      const behind = data.subarray(left);
      this.#held = this.#held ? Buffer.concat([this.#held, behind]) : behind;
      // The client waits until somebody reads it.
      this.socket.pause();
    }
    if (left > 0) this.#parse?.(data.subarray(0, left));
  }

  /** Cheap for everything else: one byte is looked at. */
  #mayHijack(chunk: Buffer): boolean {
    if (this.#head) return true;
    if (chunk[0] !== 0x50) return false;
    const line = chunk.toString('latin1', 0, Math.min(chunk.length, 2048));
    return HIJACK_LINE.test(line);
  }

  /** Ends HTTP on this connection and answers what the client sent behind its request. */
  takeOver(): Buffer | undefined {
    const emitter: EventEmitter = this.socket;
    for (const { event, listener } of this.#listeners) emitter.off(event, listener);
    this.socket.pause();
    const held = this.#held;
    this.#held = undefined;
    return held;
  }

  /**
   * A request that could have taken over did not: what was held back is a request after all. It waits for the parser,
   * which may be inside of the refused request still. Behind the `last` answer of a connection it is dropped.
   */
  release({ last }: { readonly last: boolean }): void {
    this.#busy = false;
    if (!this.#held) this.#left = undefined;
    else if (last) this.#drop();
    else setImmediate(() => this.#feedHeld());
  }

  /** Reads on, so that the client is closed in order and gets the answer, but to nobody. */
  #drop(): void {
    this.#held = undefined;
    this.#left = undefined;
    this.#parse = undefined;
    this.socket.resume();
  }

  /** Until now everything that came was held back. */
  #feedHeld(): void {
    const held = this.#held;
    this.#held = undefined;
    this.#left = undefined;
    if (!held || this.socket.destroyed) return;
    this.socket.resume();
    this.#receive(held);
  }
}

/** Where the request ends, in `data` or behind it: head plus announced length. A chunked body is left to the parser. */
function requestEnd(data: Buffer): number | undefined {
  const headEnd = data.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const head = data.toString('latin1', 0, headEnd);
  if (/\r\ntransfer-encoding:/i.test(head)) return Number.POSITIVE_INFINITY;
  const length = /\r\ncontent-length:[ \t]*(\d+)/i.exec(head)?.[1];
  return headEnd + 4 + Number(length ?? 0);
}
