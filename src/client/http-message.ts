import type { Connection } from './connection.ts';
import { connectionLost, protocolError } from './errors.ts';

const MAX_HEAD_BYTES = 64 * 1024;
const decoder = new TextDecoder();
const encoder = new TextEncoder();

export interface ResponseHead {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
}

/** The bytes of a request's head, ending with the empty line. */
export function encodeHead(
  method: string,
  target: string,
  headers: Readonly<Record<string, string>>,
): Uint8Array {
  let text = `${method} ${target} HTTP/1.1\r\n`;
  for (const [name, value] of Object.entries(headers)) text += `${name}: ${value}\r\n`;
  return encoder.encode(`${text}\r\n`);
}

/** Reads up to the empty line; what follows stays on the connection. 100 and 102 answers are skipped. */
export async function readHead(connection: Connection, url: string): Promise<ResponseHead> {
  for (;;) {
    const head = parseHead(await readHeadText(connection, url));
    if (head.status >= 200 || head.status === 101) return head;
  }
}

async function readHeadText(connection: Connection, url: string): Promise<string> {
  let seen: Uint8Array = new Uint8Array(0);
  for (;;) {
    const chunk = await connection.read();
    if (!chunk) throw connectionLost(url);
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    const end = Buffer.from(seen.buffer, seen.byteOffset, seen.length).indexOf('\r\n\r\n');
    if (end >= 0) {
      connection.unread(seen.subarray(end + 4));
      return decoder.decode(seen.subarray(0, end));
    }
    if (seen.length > MAX_HEAD_BYTES) throw protocolError('header too large');
  }
}

function parseHead(text: string): ResponseHead {
  const [statusLine = '', ...lines] = text.split('\r\n');
  const match = /^HTTP\/1\.[01] (\d{3})/.exec(statusLine);
  if (!match) throw protocolError(JSON.stringify(statusLine.slice(0, 80)));
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return { status: Number(match[1]), headers };
}

/** Reads a body piece by piece; undefined at its end. Throws when the connection ends too early. */
export type BodyReader = () => Promise<Uint8Array | undefined>;

export interface BodyPlan {
  readonly read: BodyReader;
  /** Whether the connection can carry another request after the body. */
  readonly reusable: boolean;
}

/** Chooses the body's framing (RFC 9112 section 6.3). */
export function planBody(connection: Connection, head: ResponseHead, method: string, url: string): BodyPlan {
  const keepAlive = head.headers.get('connection')?.toLowerCase() !== 'close';
  const length = head.headers.get('content-length');
  if (method === 'HEAD' || head.status === 204 || head.status === 304) {
    return { read: async () => undefined, reusable: keepAlive };
  }
  if (head.headers.get('transfer-encoding')?.toLowerCase().includes('chunked')) {
    return { read: chunkedReader(connection, url), reusable: keepAlive };
  }
  if (length !== undefined)
    return { read: lengthReader(connection, Number(length), url), reusable: keepAlive };
  return { read: () => connection.read(), reusable: false };
}

function lengthReader(connection: Connection, length: number, url: string): BodyReader {
  let left = length;
  return async () => {
    if (left === 0) return undefined;
    const chunk = await connection.read();
    if (!chunk) throw connectionLost(url);
    if (chunk.length > left) connection.unread(chunk.subarray(left));
    const taken = chunk.subarray(0, left);
    left -= taken.length;
    return taken;
  };
}

function chunkedReader(connection: Connection, url: string): BodyReader {
  let left = 0;
  let done = false;
  return async () => {
    if (done) return undefined;
    if (left === 0) {
      left = await readChunkSize(connection, url);
      if (left === 0) {
        while ((await readLine(connection, url)) !== '') {
          // Trailers carry nothing we use.
        }
        done = true;
        return undefined;
      }
    }
    const chunk = await connection.read();
    if (!chunk) throw connectionLost(url);
    const taken = chunk.subarray(0, left);
    connection.unread(chunk.subarray(taken.length));
    left -= taken.length;
    if (left === 0) await readLine(connection, url);
    return taken;
  };
}

async function readChunkSize(connection: Connection, url: string): Promise<number> {
  const line = await readLine(connection, url);
  const size = /^[0-9a-f]+/i.exec(line)?.[0];
  if (size === undefined) throw protocolError('bad chunk size');
  return Number.parseInt(size, 16);
}

async function readLine(connection: Connection, url: string): Promise<string> {
  let line = '';
  for (;;) {
    const chunk = await connection.read();
    if (!chunk) throw connectionLost(url);
    const end = chunk.indexOf(10);
    line += decoder.decode(end < 0 ? chunk : chunk.subarray(0, end));
    if (end >= 0) {
      connection.unread(chunk.subarray(end + 1));
      return line.replace(/\r$/, '');
    }
    if (line.length > MAX_HEAD_BYTES) throw protocolError('line too long');
  }
}

/** Frames one piece of a chunked request body. */
export function encodeChunk(data: Uint8Array): Uint8Array {
  return Buffer.concat([encoder.encode(`${data.length.toString(16)}\r\n`), data, encoder.encode('\r\n')]);
}

export const LAST_CHUNK: Uint8Array = encoder.encode('0\r\n\r\n');
