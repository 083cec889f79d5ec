const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/**
 * Splits a byte stream of concatenated JSON objects or arrays, with or without newlines between them, and parses
 * each as soon as its last byte is there. Values may be cut anywhere by the transport.
 */
export async function* splitJsonValues<T>(
  chunks: AsyncIterable<Uint8Array>,
  parse: (text: string) => unknown = JSON.parse,
): AsyncIterableIterator<T> {
  const decoder = new TextDecoder();
  const scan = createScanner();
  let pending: Uint8Array[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (const end of scan(chunk)) {
      pending.push(chunk.subarray(start, end));
      yield parse(decoder.decode(Buffer.concat(pending))) as T;
      pending = [];
      start = end;
    }
    if (start < chunk.length) pending.push(chunk.subarray(start));
  }
}

/** A function that yields, for each piece, the offsets just after a complete value. State is kept between pieces. */
function createScanner(): (chunk: Uint8Array) => Generator<number> {
  let depth = 0;
  let inString = false;
  let escaped = false;
  const insideString = (byte: number): void => {
    if (escaped) escaped = false;
    else if (byte === BACKSLASH) escaped = true;
    else if (byte === QUOTE) inString = false;
  };
  /** Whether `byte` ends a value. */
  const outsideString = (byte: number): boolean => {
    if (byte === QUOTE) inString = true;
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth += 1;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth -= 1;
      return depth === 0;
    }
    return false;
  };
  return function* scan(chunk) {
    for (let index = 0; index < chunk.length; index += 1) {
      const byte = chunk[index] ?? 0;
      if (inString) insideString(byte);
      else if (outsideString(byte)) yield index + 1;
    }
  };
}
