import type { ServerResponse } from 'node:http';
import { STREAM_TYPE } from '#api';
import { errorCode, errorMessage } from '#base';
import { RefusedAttach } from '../errors.ts';
import type { Headers, Reply, Sink, StreamReply } from './reply.ts';
import { HTTP_STATUS } from './status.ts';

/** Writes replies that end with the response. `common` goes with every answer. */
export function writeReply(
  response: ServerResponse,
  reply: Exclude<Reply, StreamReply | { kind: 'hijack' }>,
  common: Headers,
): void {
  if (reply.kind === 'json') {
    const text = reply.isStable ? stableText(reply.value as readonly object[]) : JSON.stringify(reply.value);
    // docker's encoder ends every value with a newline.
    writeBody(response, reply.status, `${text}\n`, {
      ...common,
      'Content-Type': 'application/json',
    });
  } else if (reply.kind === 'text') {
    writeBody(response, reply.status, reply.text, {
      ...common,
      'Content-Type': 'text/plain; charset=utf-8',
      ...reply.headers,
    });
  } else {
    response.writeHead(reply.status, { ...common, ...reply.headers, ...lengthFor(reply.status) });
    response.end();
  }
}

/** The JSON of elements of stable lists. */
const texts = new WeakMap<object, string>();

function stableText(list: readonly object[]): string {
  const parts = list.map((element) => {
    let text = texts.get(element);
    if (text === undefined) {
      text = JSON.stringify(element);
      texts.set(element, text);
    }
    return text;
  });
  return `[${parts.join(',')}]`;
}

const lengthFor = (status: number): Headers =>
  status === 204 || status === 304 ? {} : { 'Content-Length': '0' };

function writeBody(response: ServerResponse, status: number, body: string, headers: Headers): void {
  response.writeHead(status, { ...headers, 'Content-Length': String(Buffer.byteLength(body)) });
  response.end(body);
}

/** Instead of a stream. */
const REFUSED_STREAM: Headers = { 'Content-Type': STREAM_TYPE.raw, Connection: 'close' };

/** The error body. 304 has none; `code` is ours. */
export function errorReply(error: unknown): Reply & { readonly status: number } {
  const code = errorCode(error);
  const status = HTTP_STATUS[code];
  if (status === 304) return { kind: 'empty', status, headers: {} };
  if (error instanceof RefusedAttach) {
    return { kind: 'text', status, text: `${error.message}\r\n`, headers: REFUSED_STREAM };
  }
  return { kind: 'json', status, value: { message: errorMessage(error), code } };
}

/**
 * Runs a stream reply. Resolves with the failure when nothing was sent yet, so that it can still become a status; throws
 * it when the answer has begun.
 */
export async function writeStream(
  response: ServerResponse,
  reply: StreamReply,
  options: { readonly common: Headers; readonly signal: AbortSignal },
): Promise<unknown> {
  const sink = new ResponseSink(response, reply, options);
  if (reply.flush) sink.begin();
  try {
    await reply.run(sink);
  } catch (error) {
    if (!response.headersSent) return error ?? new Error('unknown failure');
    throw error;
  }
  sink.begin();
  response.end();
  return undefined;
}

class ResponseSink implements Sink {
  readonly signal: AbortSignal;
  readonly #response: ServerResponse;
  readonly #reply: StreamReply;
  readonly #common: Headers;

  constructor(
    response: ServerResponse,
    reply: StreamReply,
    options: { readonly common: Headers; readonly signal: AbortSignal },
  ) {
    this.#response = response;
    this.#reply = reply;
    this.#common = options.common;
    this.signal = options.signal;
  }

  begin(): void {
    if (this.#response.headersSent) return;
    this.#response.writeHead(200, { ...this.#common, ...this.#reply.headers });
    this.#response.flushHeaders();
  }

  write(chunk: Uint8Array | string): Promise<void> | void {
    const { socket } = this.#response;
    if (this.signal.aborted || !socket) return;
    this.begin();
    if (chunk.length === 0 || this.#response.write(chunk)) return;
    return drainedResponse(this.#response);
  }
}

function drainedResponse(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}
