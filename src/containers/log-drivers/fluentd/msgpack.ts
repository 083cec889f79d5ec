/** A value that fluentd's forward protocol needs. Buffers are strings whose bytes are not known to be UTF-8. */
export type Packable =
  | string
  | number
  | boolean
  | Buffer
  | EventTime
  | readonly Packable[]
  | { readonly [key: string]: Packable };

/** A time with nanoseconds, as fluentd's extension type 0. */
export class EventTime {
  readonly seconds: number;
  readonly nanoseconds: number;

  constructor(ns: bigint) {
    this.seconds = Number(ns / 1_000_000_000n);
    this.nanoseconds = Number(ns % 1_000_000_000n);
  }
}

/** Encodes a value. Numbers must be whole and not negative. Source: msgpack specification. */
export function pack(value: Packable): Buffer {
  const parts: Buffer[] = [];
  append(parts, value);
  return Buffer.concat(parts);
}

function append(parts: Buffer[], value: Packable): void {
  if (typeof value === 'string') appendText(parts, Buffer.from(value));
  else if (Buffer.isBuffer(value)) appendText(parts, value);
  else if (typeof value === 'boolean') parts.push(Buffer.of(value ? 0xc3 : 0xc2));
  else if (typeof value === 'number') parts.push(packNumber(value));
  else if (value instanceof EventTime) parts.push(packTime(value));
  else if (Array.isArray(value)) appendArray(parts, value);
  else appendMap(parts, value as { readonly [key: string]: Packable });
}

function appendText(parts: Buffer[], text: Buffer): void {
  parts.push(head(text.length, { fix: 0xa0, fixMax: 31, byte: 0xd9, short: 0xda, long: 0xdb }), text);
}

function appendArray(parts: Buffer[], items: readonly Packable[]): void {
  parts.push(head(items.length, { fix: 0x90, fixMax: 15, short: 0xdc, long: 0xdd }));
  for (const item of items) append(parts, item);
}

function appendMap(parts: Buffer[], map: { readonly [key: string]: Packable }): void {
  const entries = Object.entries(map);
  parts.push(head(entries.length, { fix: 0x80, fixMax: 15, short: 0xde, long: 0xdf }));
  for (const [key, value] of entries) {
    appendText(parts, Buffer.from(key));
    append(parts, value);
  }
}

function packNumber(value: number): Buffer {
  if (value < 0x1_0000_0000) return head(value, { fix: 0, fixMax: 127, byte: 0xcc, short: 0xcd, long: 0xce });
  const bytes = Buffer.alloc(9, 0xcf);
  bytes.writeBigUInt64BE(BigInt(value), 1);
  return bytes;
}

function packTime({ seconds, nanoseconds }: EventTime): Buffer {
  const bytes = Buffer.alloc(10);
  bytes.writeUInt16BE(0xd700, 0);
  bytes.writeUInt32BE(seconds, 2);
  bytes.writeUInt32BE(nanoseconds, 6);
  return bytes;
}

/** First bytes by size: with the size in the first byte, else in one, two or four bytes after it. */
interface Heads {
  readonly fix: number;
  readonly fixMax: number;
  readonly byte?: number;
  readonly short: number;
  readonly long: number;
}

function head(size: number, { fix, fixMax, byte, short, long }: Heads): Buffer {
  if (size <= fixMax) return Buffer.of(fix | size);
  if (byte !== undefined && size <= 0xff) return Buffer.of(byte, size);
  if (size <= 0xffff) return Buffer.of(short, size >> 8, size & 0xff);
  const bytes = Buffer.alloc(5, long);
  bytes.writeUInt32BE(size, 1);
  return bytes;
}

/**
 * Reads a map of strings (`{"ack": "…"}`) from the front of `data`. Undefined when it has not all arrived.
 * @throws TypeError when it is something else.
 */
export function unpackTextMap(
  data: Buffer,
): { readonly map: Readonly<Record<string, string>>; readonly size: number } | undefined {
  const first = data[0];
  if (first === undefined) return undefined;
  if (first >> 4 !== 0x8) throw new TypeError('not a small map');
  const texts: string[] = [];
  let offset = 1;
  for (let index = 0; index < (first & 0x0f) * 2; index += 1) {
    const text = unpackText(data, offset);
    if (!text) return undefined;
    texts.push(text.value);
    offset = text.end;
  }
  const entries = texts.flatMap((key, index) => (index % 2 === 0 ? [[key, texts[index + 1] ?? '']] : []));
  return { map: Object.fromEntries(entries), size: offset };
}

/** How many bytes after the first one hold the length. */
const LENGTH_BYTES: Readonly<Record<number, number>> = { 217: 1, 218: 2, 219: 4 };

function unpackText(data: Buffer, offset: number): { value: string; end: number } | undefined {
  const first = data[offset];
  if (first === undefined) return undefined;
  const lengthBytes = first >> 5 === 0x5 ? 0 : LENGTH_BYTES[first];
  if (lengthBytes === undefined) throw new TypeError('not a string');
  const start = offset + 1 + lengthBytes;
  if (data.length < start) return undefined;
  const length = lengthBytes === 0 ? first & 0x1f : data.readUIntBE(offset + 1, lengthBytes);
  const end = start + length;
  return data.length < end ? undefined : { value: data.toString('utf8', start, end), end };
}
