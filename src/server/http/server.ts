import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { formatApiVersion, MAX_API_VERSION, MIN_API_VERSION, tryParseApiVersion } from '#api';
import { errorMessage, hasCode, type Logger } from '#base';
import { type Backends, createRoutes } from '../router/index.ts';
import { CHANGES } from '../versions/index.ts';
import { Connection } from './connection.ts';
import { createDispatcher, type Dispatcher } from './dispatch.ts';
import { hijack } from './hijack.ts';
import { nodeRequest } from './node-request.ts';
import type { Headers, HijackReply, Reply, StreamReply } from './reply.ts';
import type { ApiRequest } from './request.ts';
import { errorReply, writeReply, writeStream } from './writer.ts';

export interface ServerOptions {
  readonly backends: Backends;
  readonly logger: Logger;
  /** Version of the engine, for the header `Server`. */
  readonly version: string;
  /** Told to every client. Default false. */
  readonly experimental?: boolean;
  /** Bytes of a request's head. Default 64 KiB. */
  readonly maxHeaderBytes?: number;
  /** Time to send a request's head, from the connection or from the head's first byte. Default 5 minutes, as dockerd. */
  readonly headTimeoutMs?: number;
}

/** The Engine API, without a listener of its own. */
export interface ApiServer {
  /** Serves a connection: Unix sockets, TCP, TLS alike. */
  accept(socket: Socket): void;
  /** Open connections, hijacked ones included. */
  readonly connectionCount: number;
  /** Lets running requests end for `graceMs` (default 0), then closes all connections. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

export function createServer(options: ServerOptions): ApiServer {
  return new HttpApiServer(options);
}

const HEAD_TIMEOUT_MS = 5 * 60_000;

class HttpApiServer implements ApiServer {
  readonly #dispatcher: Dispatcher;
  readonly #logger: Logger;
  readonly #headers: Headers;
  readonly #connections = new Map<Socket, Connection>();
  readonly #http;
  readonly #sweep: Timer;
  #onIdle = () => {};
  #closing = false;

  constructor(options: ServerOptions) {
    const { backends, logger, version, experimental = false } = options;
    const { maxHeaderBytes = 64 * 1024, headTimeoutMs = HEAD_TIMEOUT_MS } = options;
    this.#dispatcher = createDispatcher(createRoutes(backends), CHANGES);
    this.#logger = logger;
    this.#headers = {
      'Api-Version': formatApiVersion(MAX_API_VERSION),
      'Docker-Experimental': String(experimental),
      Ostype: 'linux',
      Server: `Gantry/${version} (linux)`,
    };
    // No listener for 'upgrade': such requests then come like all others, with their body.
    this.#http = createHttpServer(
      { maxHeaderSize: maxHeaderBytes, requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 },
      (request, response) => this.#serve(request, response),
    );
    this.#http.timeout = 0;
    this.#http.on('clientError', (_error, socket) => refuse(socket as Socket));
    this.#sweep = setInterval(() => this.#endLate(headTimeoutMs), headTimeoutMs / 10).unref();
  }

  /** Who does not send a request keeps a descriptor. The parser's own time-outs count bodies and answers, too. */
  #endLate(timeoutMs: number): void {
    const now = Date.now();
    for (const [socket, connection] of this.#connections) {
      if (connection.isLate(now, timeoutMs)) socket.destroy();
    }
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  accept(socket: Socket): void {
    // Without a listener a reset connection would end the process.
    socket.on('error', (error) => this.#logger.debug('connection failed', { error }));
    socket.once('close', () => {
      this.#connections.delete(socket);
      if (this.#connections.size === 0) this.#onIdle();
    });
    this.#connections.set(socket, new Connection(this.#http, socket));
  }

  /** Without a promise for what is answered from memory: half of the cost of a ping. */
  #serve(message: IncomingMessage, response: ServerResponse): void {
    const connection = this.#connections.get(message.socket);
    if (!connection) return;
    connection.begin();
    const exchange = { connection, message, response, request: nodeRequest(message, response) };
    try {
      const answer = this.#dispatcher.dispatch(exchange.request);
      if (answer instanceof Promise) void this.#serveLater(exchange, answer);
      else this.#answer(exchange, answer);
    } catch (error) {
      this.#answer(exchange, this.#failure(exchange.request, error));
    }
  }

  async #serveLater(exchange: Exchange, answer: Promise<Reply>): Promise<void> {
    let reply: Reply;
    try {
      reply = await answer;
    } catch (error) {
      reply = this.#failure(exchange.request, error);
    }
    this.#answer(exchange, reply);
  }

  #answer(exchange: Exchange, reply: Reply): void {
    if (reply.kind === 'hijack' || reply.kind === 'stream') {
      void this.#answerStream(exchange, reply);
      return;
    }
    try {
      writeReply(exchange.response, reply, this.#headers);
      this.#finish(exchange);
    } catch (error) {
      // An answer that cannot be written must end one connection, never the engine.
      this.#broken(exchange.request, error);
      exchange.connection.socket.destroy();
    }
  }

  async #answerStream(exchange: Exchange, reply: StreamReply | HijackReply): Promise<void> {
    const { connection, request, response } = exchange;
    try {
      if (reply.kind === 'hijack') {
        await hijack(connection, request, reply);
        return;
      }
      const failure = await writeStream(response, reply, { common: this.#headers, signal: request.signal });
      if (failure !== undefined) this.#writeFailure(request, response, failure);
      this.#finish(exchange);
    } catch (error) {
      this.#broken(request, error);
      connection.socket.destroy();
    }
  }

  /** The connection goes on with the next request, or ends here. */
  #finish({ connection, message, response }: Exchange): void {
    const last = this.#closing || !response.shouldKeepAlive;
    if (last && message.complete) connection.socket.destroySoon();
    else if (last) message.once('end', () => connection.socket.destroySoon());
    discardBody(message);
    connection.release({ last });
  }

  #writeFailure(request: ApiRequest, response: ServerResponse, failure: unknown): void {
    const reply = this.#failure(request, failure);
    if (reply.kind === 'json' || reply.kind === 'text' || reply.kind === 'empty') {
      writeReply(response, reply, this.#headers);
    }
  }

  /** The one place where errors become answers, and where 5xx are logged. */
  #failure(request: ApiRequest, error: unknown): Reply {
    const reply = errorReply(error);
    const { method, path } = request;
    if (hasCode(error, 'canceled')) this.#logger.debug('request canceled', { method, path, error });
    else if (reply.status >= 500 && !request.signal.aborted) {
      this.#logger.error('request failed', { method, path, status: reply.status, error });
    }
    // A client from before JSON errors prints the body as it is.
    if (isAncient(request.path)) {
      return { kind: 'text', status: reply.status, text: `${errorMessage(error)}\n`, headers: {} };
    }
    return reply;
  }

  /** The client has been told on the stream what was wrong with its request; the rest is ours to note. */
  #broken({ method, path, signal }: ApiRequest, error: unknown): void {
    if (signal.aborted) return;
    const level = errorReply(error).status >= 500 ? 'warn' : 'debug';
    this.#logger[level]('answer cut short', { method, path, error });
  }

  /** Resolves when the last connection has gone, at the latest after `graceMs`. */
  #idle(graceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, graceMs);
      this.#onIdle = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.#connections.size === 0) this.#onIdle();
    });
  }

  async close({ graceMs = 0 }: { readonly graceMs?: number } = {}): Promise<void> {
    this.#closing = true;
    clearInterval(this.#sweep);
    for (const [socket, { busy }] of this.#connections) if (!busy) socket.destroy();
    if (graceMs > 0) await this.#idle(graceMs);
    for (const socket of this.#connections.keys()) socket.destroy();
    this.#http.close();
  }
}

/** One request with everything that belongs to it. */
interface Exchange {
  readonly connection: Connection;
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly request: ApiRequest;
}

/** Bytes read and dropped behind an answer, so that the client can finish sending and read it. */
const MAX_DISCARD_BYTES = 64 * 1024 * 1024;

function discardBody(message: IncomingMessage): void {
  if (message.complete || message.readableEnded) return;
  let bytes = 0;
  message.on('data', (chunk: Uint8Array) => {
    bytes += chunk.byteLength;
    if (bytes > MAX_DISCARD_BYTES) message.socket.destroy();
  });
  message.resume();
}

function refuse(socket: Socket): void {
  if (socket.writable)
    socket.write('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  socket.destroySoon();
}

function isAncient(path: string): boolean {
  const version = /^\/v([0-9.]+)\//.exec(path)?.[1];
  return version !== undefined && (tryParseApiVersion(version) ?? MIN_API_VERSION) < MIN_API_VERSION;
}
