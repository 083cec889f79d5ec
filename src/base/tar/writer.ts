import { Readable } from 'node:stream';
import { dataLoss } from '../errdefs.ts';
import { encodeTarHeader, type TarHeaderInit, tarEnd, tarPadding } from './encode.ts';

export type TarBody = AsyncIterable<Uint8Array> | Iterable<Uint8Array> | Uint8Array | string;

/** One member to be written. A body in memory needs no `size` in its header. */
export interface TarInput {
  readonly header: TarHeaderInit;
  readonly body?: TarBody;
}

export interface WriteTarOptions {
  /**
   * What to do when a body is not as long as its header says: `throw` (default), or `fit`: cut what is too much
   * and fill up with zeros what is missing, for files that change while they are read.
   */
  readonly onSizeMismatch?: 'throw' | 'fit';
}

/**
 * Writes an archive. Bodies are streamed; chunks are not copied.
 * @throws `data_loss` for a body of the wrong length (see {@link WriteTarOptions}), `invalid_argument` for bad names.
 */
export async function* writeTar(
  entries: AsyncIterable<TarInput> | Iterable<TarInput>,
  options: WriteTarOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const { header, body } of entries) {
    const content = inMemory(body);
    const size = content?.length ?? header.size ?? 0;
    yield encodeTarHeader({ ...header, size });
    if ((header.type ?? 'file') !== 'file' || size === 0) continue;
    if (content) yield content;
    else yield* exactly((body ?? []) as AsyncIterable<Uint8Array>, size, header.path, options);
    const padding = tarPadding(size);
    if (padding.length > 0) yield padding;
  }
  yield tarEnd();
}

/** {@link writeTar} as a Node stream. */
export function createTarStream(
  entries: AsyncIterable<TarInput> | Iterable<TarInput>,
  options: WriteTarOptions = {},
): Readable {
  return Readable.from(writeTar(entries, options), { objectMode: false });
}

function inMemory(body: TarBody | undefined): Uint8Array | undefined {
  if (typeof body === 'string') return Buffer.from(body);
  return body instanceof Uint8Array ? body : undefined;
}

const ZEROS_LENGTH = 64 * 1024;

async function* exactly(
  body: AsyncIterable<Uint8Array>,
  size: number,
  path: string,
  options: WriteTarOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const mustMatch = options.onSizeMismatch !== 'fit';
  let left = size;
  for await (const chunk of body) {
    if (chunk.length > left) {
      if (mustMatch) throw dataLoss(`'${path}' is longer than its header says`);
      yield chunk.subarray(0, left);
      return;
    }
    if (chunk.length > 0) yield chunk;
    left -= chunk.length;
  }
  if (left > 0 && mustMatch) throw dataLoss(`'${path}' is shorter than its header says`);
  yield* zeros(left);
}

function* zeros(length: number): Generator<Uint8Array, void, undefined> {
  for (let left = length; left > 0; left -= ZEROS_LENGTH) yield new Uint8Array(Math.min(left, ZEROS_LENGTH));
}
