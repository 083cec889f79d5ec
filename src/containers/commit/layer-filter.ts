import type { Readable } from 'node:stream';
import { createTarStream, readTar, type TarInput } from '#base';

/**
 * A layer tar without the members at `dropped` (absolute paths). What is left is written as it was, names, numbers,
 * links and attributes included.
 */
export function withoutMembers(
  layer: AsyncIterable<Uint8Array>,
  dropped: ReadonlySet<string>,
): AsyncIterable<Uint8Array> {
  return dropped.size === 0 ? layer : (createTarStream(kept(layer, dropped)) satisfies Readable);
}

async function* kept(
  layer: AsyncIterable<Uint8Array>,
  dropped: ReadonlySet<string>,
): AsyncGenerator<TarInput> {
  for await (const { header, body } of readTar(layer)) {
    const path = `/${header.path.replace(/^\.?\/+/, '').replace(/\/+$/, '')}`;
    if (!dropped.has(path)) yield { header, body };
  }
}
