import { dataLoss, invalidArgument } from '../errdefs.ts';
import { TarParser, type TarSink } from './parser.ts';
import type { TarHeader, TarLimits } from './types.ts';

/** One member of an archive while it is being read. */
export interface TarEntry {
  readonly header: TarHeader;
  /**
   * The content, holes of sparse files filled with zeros. Can be read once, and only until the next entry is
   * asked for; what is left unread is skipped.
   */
  readonly body: AsyncIterable<Uint8Array>;
  /** The whole content. @throws `invalid_argument` when it is longer than `maxBytes`. */
  bytes(maxBytes: number): Promise<Uint8Array>;
}

type TarEvent =
  | { readonly kind: 'entry'; readonly header: TarHeader }
  | { readonly kind: 'data'; readonly chunk: Uint8Array; readonly offset: number }
  | { readonly kind: 'end' };

/** Parser events of one source chunk at a time, so memory is bounded by the largest chunk. */
class EventSource {
  readonly #source: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  readonly #parser: TarParser;
  #queue: TarEvent[] = [];
  #next = 0;

  constructor(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, limits: TarLimits) {
    this.#source =
      Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
    const sink: TarSink = {
      entry: (header) => void this.#queue.push({ kind: 'entry', header }),
      data: (chunk, offset) => void this.#queue.push({ kind: 'data', chunk, offset }),
      end: () => void this.#queue.push({ kind: 'end' }),
    };
    this.#parser = new TarParser(sink, limits);
  }

  async next(): Promise<TarEvent | undefined> {
    while (this.#next >= this.#queue.length) if (!(await this.#refill())) return undefined;
    return this.#queue[this.#next++];
  }

  async #refill(): Promise<boolean> {
    this.#queue = [];
    this.#next = 0;
    const { done, value } = await this.#source.next();
    if (!done) this.#parser.push(value);
    else if (!this.#parser.isDone) this.#parser.finish();
    return !done;
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }
}

/**
 * Reads an archive from any stream of bytes, one member at a time. The stream is read to its end, also
 * behind the archive's end mark, and is closed when the loop is left early.
 *
 * @example for await (const { header, body } of readTar(stream)) …
 * @throws `invalid_argument` for a broken archive.
 */
export async function* readTar(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  limits: TarLimits = {},
): AsyncGenerator<TarEntry, void, undefined> {
  const events = new EventSource(source, limits);
  try {
    for (let event = await events.next(); event; event = await events.next()) {
      // Data and end events met here belong to a body that nobody read.
      if (event.kind === 'entry') yield createEntry(event.header, events);
    }
  } finally {
    await events.close();
  }
}

function createEntry(header: TarHeader, events: EventSource): TarEntry {
  const body = readBody(header, events);
  return { header, body, bytes: (maxBytes) => collect(header, body, maxBytes) };
}

async function* readBody(
  header: TarHeader,
  events: EventSource,
): AsyncGenerator<Uint8Array, void, undefined> {
  let position = 0;
  for (;;) {
    const event = await events.next();
    if (event === undefined || event.kind === 'entry') throw dataLoss('tar entry was read too late');
    const until = event.kind === 'data' ? event.offset : header.size;
    for (; position < until; position += ZEROS_LENGTH) yield zeros(Math.min(until - position, ZEROS_LENGTH));
    if (event.kind === 'end') return;
    yield event.chunk;
    position = event.offset + event.chunk.length;
  }
}

const ZEROS_LENGTH = 64 * 1024;
const zeros = (length: number): Uint8Array => new Uint8Array(length);

async function collect(
  header: TarHeader,
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array> {
  if (header.size > maxBytes)
    throw invalidArgument(`'${header.path}' is too large: ${header.size} bytes, at most ${maxBytes}`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
