import { parseExactJson } from '#base';
import type { BodyReader } from './http-message.ts';
import { splitJsonValues } from './json-stream.ts';

export interface JsonOptions {
  /** Keep integers that a number cannot hold, as bigint. */
  readonly exact?: boolean;
}

const parserFor = (options: JsonOptions | undefined) => (options?.exact ? parseExactJson : JSON.parse);

/** The body of an answer: read it once, in one of these ways, or discard it. */
export interface ResponseBody extends AsyncIterable<Uint8Array> {
  bytes(): Promise<Uint8Array>;
  text(): Promise<string>;
  json<T>(options?: JsonOptions): Promise<T>;
  /** A sequence of JSON values as they arrive. */
  jsonValues<T>(options?: JsonOptions): AsyncIterableIterator<T>;
  /** Stops reading and closes the connection. */
  discard(): void;
}

/** Wraps a reader. `release` is called once: with true when the body was read to its end. */
export function createBody(read: BodyReader, release: (complete: boolean) => void): ResponseBody {
  let released = false;
  const releaseOnce = (complete: boolean) => {
    if (!released) release(complete);
    released = true;
  };
  async function* chunks(): AsyncGenerator<Uint8Array, void> {
    let complete = false;
    try {
      for (let chunk = await read(); chunk; chunk = await read()) yield chunk;
      complete = true;
    } finally {
      releaseOnce(complete);
    }
  }
  const body: ResponseBody = {
    [Symbol.asyncIterator]: chunks,
    async bytes() {
      const parts: Uint8Array[] = [];
      for await (const chunk of chunks()) parts.push(chunk);
      const [only] = parts;
      return parts.length === 1 && only ? only : Buffer.concat(parts);
    },
    text: async () => new TextDecoder().decode(await body.bytes()),
    json: async <T>(options?: JsonOptions) => parserFor(options)(await body.text()) as T,
    jsonValues: <T>(options?: JsonOptions) => splitJsonValues<T>(chunks(), parserFor(options)),
    discard: () => releaseOnce(false),
  };
  return body;
}
