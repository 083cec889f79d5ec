import { requestCanceled } from './abort.ts';
import { createBody, type ResponseBody } from './body.ts';
import { Connection } from './connection.ts';
import type { Endpoint } from './endpoint.ts';
import { engineError, protocolError } from './errors.ts';
import {
  encodeChunk,
  encodeHead,
  LAST_CHUNK,
  planBody,
  type ResponseHead,
  readHead,
} from './http-message.ts';

export type QueryValue = string | number | boolean | readonly string[] | undefined;
export type Query = Readonly<Record<string, QueryValue>>;

export interface RequestSpec {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** Path and query, with the version prefix. */
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent with chunked framing. */
  readonly stream?: AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
}

export interface EngineResponse {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: ResponseBody;
}

/** A raw duplex stream after an upgraded request. */
export interface HijackedStream {
  readonly contentType: string;
  /** Undefined at the end of the stream. */
  read(): Promise<Uint8Array | undefined>;
  write(data: Uint8Array): Promise<void>;
  /** Tells the other side that no more input comes; output goes on. */
  closeWrite(): Promise<void>;
  close(): void;
}

const encoder = new TextEncoder();

/** HTTP/1.1 over one kind of socket with kept connections. Not an engine client: it knows no paths. */
export class Transport {
  readonly #endpoint: Endpoint;
  /** Sent with every request. */
  readonly #headers: Readonly<Record<string, string>>;
  readonly #idle: Connection[] = [];

  constructor(endpoint: Endpoint, userAgent: string, headers: Readonly<Record<string, string>> = {}) {
    this.#endpoint = endpoint;
    this.#headers = { ...headers, 'User-Agent': userAgent };
  }

  get url(): string {
    return this.#endpoint.url;
  }

  /** One request; the answer's body must be read or discarded. Any status is an answer. */
  async send(spec: RequestSpec): Promise<EngineResponse> {
    const connection = await this.#acquire(spec.signal);
    const stop = abortWith(connection, spec.signal);
    try {
      const upload = this.#writeRequest(connection, spec, {});
      const head = await readHead(connection, this.url);
      const plan = planBody(connection, head, spec.method, this.url);
      const body = createBody(plan.read, (complete) => {
        stop();
        if (complete && plan.reusable && !upload.pending) this.#release(connection);
        else connection.destroy();
      });
      return { status: head.status, headers: head.headers, body };
    } catch (error) {
      stop();
      connection.destroy();
      throw spec.signal?.aborted ? requestCanceled(spec.signal, error) : error;
    }
  }

  /** Sends with `Upgrade: tcp` and hands out the raw connection. @throws the daemon's error. */
  async hijack(spec: RequestSpec): Promise<HijackedStream> {
    const connection = await this.#acquire(spec.signal);
    const stop = abortWith(connection, spec.signal);
    try {
      this.#writeRequest(connection, spec, { Connection: 'Upgrade', Upgrade: 'tcp' });
      const head = await readHead(connection, this.url);
      if (head.status !== 101 && head.status !== 200) {
        throw await this.#failure(connection, head, spec);
      }
      return hijacked(connection, head, stop);
    } catch (error) {
      stop();
      connection.destroy();
      throw spec.signal?.aborted ? requestCanceled(spec.signal, error) : error;
    }
  }

  async #failure(connection: Connection, head: ResponseHead, spec: RequestSpec): Promise<Error> {
    if (head.status < 300) return protocolError(`unexpected status ${head.status}`);
    const plan = planBody(connection, head, spec.method, this.url);
    const body = createBody(plan.read, () => {});
    return engineError(head.status, await body.text(), spec.target);
  }

  /** Closes the kept connections. */
  close(): void {
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }

  async #acquire(signal: AbortSignal | undefined): Promise<Connection> {
    if (signal?.aborted) throw requestCanceled(signal);
    for (let kept = this.#idle.pop(); kept; kept = this.#idle.pop()) {
      if (kept.isOpen) return kept;
      kept.destroy();
    }
    return await Connection.open(this.#endpoint, signal);
  }

  #release(connection: Connection): void {
    if (connection.isOpen) this.#idle.push(connection);
    else connection.destroy();
  }

  #writeRequest(
    connection: Connection,
    spec: RequestSpec,
    extra: Readonly<Record<string, string>>,
  ): { pending: boolean } {
    const basePath = this.#endpoint.kind === 'tcp' ? this.#endpoint.basePath : '';
    const payload = spec.json === undefined ? undefined : encoder.encode(JSON.stringify(spec.json));
    const head = encodeHead(spec.method, `${basePath}${spec.target}`, {
      Host: this.#endpoint.kind === 'tcp' ? this.#endpoint.host : 'api.gantry.localhost',
      ...this.#headers,
      ...spec.headers,
      ...bodyHeaders(spec, payload),
      ...extra,
    });
    const upload = { pending: true };
    const sending = spec.stream
      ? sendStream(connection, head, spec.stream)
      : connection.write(payload ? Buffer.concat([head, payload]) : head);
    // A write that fails shows at the reader: the daemon's early answer counts for more than the broken pipe.
    sending.then(
      () => {
        upload.pending = false;
      },
      (error: unknown) => {
        if (spec.stream && !isConnectionError(connection)) connection.destroy(toError(error));
      },
    );
    return upload;
  }
}

/** Our side broke (the source threw) while the connection still works: the request cannot be completed. */
const isConnectionError = (connection: Connection): boolean => !connection.isOpen;

const toError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

function bodyHeaders(spec: RequestSpec, payload: Uint8Array | undefined): Record<string, string> {
  if (payload) return { 'Content-Type': 'application/json', 'Content-Length': String(payload.length) };
  if (spec.stream) return { 'Transfer-Encoding': 'chunked', ...spec.headers };
  return spec.method === 'POST' || spec.method === 'PUT' ? { 'Content-Length': '0' } : {};
}

async function sendStream(
  connection: Connection,
  head: Uint8Array,
  stream: AsyncIterable<Uint8Array>,
): Promise<void> {
  await connection.write(head);
  for await (const chunk of stream) if (chunk.length > 0) await connection.write(encodeChunk(chunk));
  await connection.write(LAST_CHUNK);
}

function abortWith(connection: Connection, signal: AbortSignal | undefined): () => void {
  if (!signal) return () => {};
  const abort = () => connection.destroy(requestCanceled(signal));
  // It may have fired between the connection and here.
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  return () => signal.removeEventListener('abort', abort);
}

function hijacked(connection: Connection, head: ResponseHead, stop: () => void): HijackedStream {
  return {
    contentType: head.headers.get('content-type') ?? '',
    read: () => connection.read(),
    write: (data) => connection.write(data),
    closeWrite: () => connection.closeWrite(),
    close: () => {
      stop();
      connection.destroy();
    },
  };
}
