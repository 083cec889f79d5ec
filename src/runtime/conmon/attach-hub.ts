import { errnoCode } from '#base';
import type { Sys } from '#sys';
import type { AttachStream } from '../types.ts';
import { AttachConnection } from './attach-connection.ts';

type OutputListener = Parameters<AttachStream['onOutput']>[0];
type Chunk = Parameters<OutputListener>;

export interface HubOptions {
  readonly path: string;
  readonly sys: Pick<Sys, 'sockets'>;
  /** False: input is dropped. */
  readonly openStdin: boolean;
  /**
   * conmon closes the container's stdin when a connection's input ends, so a connection made for output only must not
   * go away before the process does.
   */
  readonly stdinOnce: boolean;
}

/**
 * All attach clients of one process on one connection to its monitor. Output goes to every client that was attached
 * when it came.
 *
 * The connection is made for the first client and kept when the last one leaves, until output comes that nobody wants:
 * conmon notices a lost connection only when it writes to it, so a new one for each client of a silent container would
 * cost a descriptor each time (CVE-2025-64329 is of this kind).
 */
export class AttachHub {
  readonly #options: HubOptions;
  readonly #clients = new Set<HubClient>();
  /** The connection in use. One that was dropped may still talk for a moment; nobody listens to it. */
  #link: Link | undefined;
  #inputClosed = false;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(options: HubOptions) {
    this.#options = options;
  }

  /** A new client. Its stream has ended already when the process is gone. */
  async attach(): Promise<AttachStream> {
    const client: HubClient = new HubClient({
      write: (chunk) => this.#write(chunk),
      closeInput: () => this.#closeInput(),
      drop: () => this.#drop(client),
    });
    this.#clients.add(client);
    try {
      await this.#connect();
    } catch (error) {
      this.#clients.delete(client);
      throw error;
    }
    return client;
  }

  /** Resolves when the connection, if there is one, has delivered everything and is closed. */
  async drained(): Promise<void> {
    if (!this.#link) return;
    this.#idle ??= Promise.withResolvers<void>();
    await this.#idle.promise;
  }

  /** Drops the connection; the process goes on. */
  close(): void {
    const link = this.#link;
    if (!link) return;
    this.#disconnected(link);
    void link.connection.then((connection) => connection?.close()).catch(() => {});
  }

  async #connect(): Promise<void> {
    this.#link ??= this.#open();
    await this.#link.connection;
  }

  #open(): Link {
    const events = {
      output: (stream: 'stdout' | 'stderr', chunk: Uint8Array) => {
        if (this.#link !== link) return;
        if (this.#clients.size === 0) this.#closeUnused();
        for (const client of this.#clients) client.push(stream, chunk);
      },
      ended: () => this.#disconnected(link),
    };
    const connection = AttachConnection.open(this.#options.path, this.#options.sys, events);
    const link: Link = { connection: connection.catch((error: unknown) => this.#failed(link, error)) };
    return link;
  }

  #failed(link: Link, error: unknown): undefined {
    this.#disconnected(link);
    // The monitor is gone, and its socket with it: that is an ended stream, not an error.
    if (errnoCode(error) === 'ENOENT' || errnoCode(error) === 'ECONNREFUSED') return undefined;
    throw error;
  }

  async #write(chunk: Uint8Array): Promise<void> {
    if (!this.#options.openStdin || this.#inputClosed) return;
    const connection = await this.#link?.connection;
    await connection?.write(chunk);
  }

  #closeInput(): void {
    if (!this.#options.stdinOnce) return;
    this.#inputClosed = true;
    void this.#link?.connection.then((connection) => connection?.closeInput()).catch(() => {});
  }

  #drop(client: HubClient): void {
    this.#clients.delete(client);
  }

  #closeUnused(): void {
    const needed = this.#options.openStdin && this.#options.stdinOnce && !this.#inputClosed;
    if (!needed) this.close();
  }

  #disconnected(link: Link): void {
    if (this.#link !== link) return;
    this.#link = undefined;
    this.#idle?.resolve();
    this.#idle = undefined;
    for (const client of this.#clients) client.end();
    this.#clients.clear();
  }
}

interface Link {
  /** Resolves to nothing when the process was gone already. */
  readonly connection: Promise<AttachConnection | undefined>;
}

interface ClientActions {
  write(chunk: Uint8Array): Promise<void>;
  closeInput(): void;
  drop(): void;
}

class HubClient implements AttachStream {
  readonly #actions: ClientActions;
  readonly #ended = Promise.withResolvers<void>();
  #held: Chunk[] = [];
  #listener: OutputListener | undefined;

  constructor(actions: ClientActions) {
    this.#actions = actions;
  }

  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  onOutput(listener: OutputListener): void {
    const held = this.#held;
    this.#held = [];
    this.#listener = listener;
    for (const chunk of held) listener(...chunk);
  }

  push(...chunk: Chunk): void {
    if (this.#listener) this.#listener(...chunk);
    else this.#held.push(chunk);
  }

  end(): void {
    this.#ended.resolve();
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#actions.write(chunk);
  }

  closeInput(): void {
    this.#actions.closeInput();
  }

  close(): void {
    this.#actions.drop();
    this.end();
  }
}
