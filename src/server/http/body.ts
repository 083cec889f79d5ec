import { type Decoder, decodeJson } from '#api';
import { bodyTooLarge, malformedContentType, wrongContentType } from '../errors.ts';
import { type ApiRequest, contentLength, header } from './request.ts';

/** Most bytes of a JSON body. The largest real ones (configs, service specs) stay below 1 MiB. */
export const MAX_JSON_BYTES = 16 * 1024 * 1024;

/**
 * Reads and decodes a JSON body. No body decodes as the empty object unless `required`.
 * @throws `invalid_argument`: content type, size, syntax, wrong types; docker's texts.
 */
export async function readJson<T>(
  request: ApiRequest,
  decoder: Decoder<T>,
  options: { readonly required?: boolean; readonly anyContentType?: boolean } = {},
): Promise<T> {
  const length = contentLength(request);
  if (!options.anyContentType) checkContentType(header(request, 'content-type') ?? '', length);
  if (length === 0) return decodeJson(decoder, options.required ? '' : '{}');
  return decodeJson(decoder, await readText(request, length));
}

function checkContentType(type: string, length: number): void {
  if (type === '' && length === 0) return;
  const media = (type.split(';')[0] ?? '').trim().toLowerCase();
  if (media === '') throw malformedContentType(type);
  if (media !== 'application/json') throw wrongContentType(type);
}

async function readText(request: ApiRequest, length: number): Promise<string> {
  if (length > MAX_JSON_BYTES) throw bodyTooLarge();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.body) {
    bytes += chunk.byteLength;
    if (bytes > MAX_JSON_BYTES) throw bodyTooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
