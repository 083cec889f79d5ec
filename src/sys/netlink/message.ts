/** Netlink messages (netlink(7)): building requests and reading replies. All integers are little-endian. */
import { SysError } from '../errors.ts';

export const HEADER_SIZE = 16;
const ATTRIBUTE_HEADER_SIZE = 4;
const NLA_F_NESTED = 0x8000;
const TYPE_MASK = 0x3fff;
const MAX_REQUEST = 8192;

const align = (length: number) => (length + 3) & ~3;

/** Builds one request. Everything is appended in order. */
export class RequestBuilder {
  readonly #bytes = new Uint8Array(new ArrayBuffer(MAX_REQUEST));
  readonly #view = new DataView(this.#bytes.buffer);
  #length = HEADER_SIZE;

  constructor(type: number, flags: number) {
    this.#view.setUint16(4, type, true);
    this.#view.setUint16(6, flags, true);
  }

  /** Appends raw bytes: the family's own header, in the request or in a nested attribute. */
  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += align(bytes.length);
    return this;
  }

  /** Appends an attribute with a binary value. */
  attribute(type: number, value: Uint8Array): this {
    this.#reserve(ATTRIBUTE_HEADER_SIZE + value.length);
    this.#view.setUint16(this.#length, ATTRIBUTE_HEADER_SIZE + value.length, true);
    this.#view.setUint16(this.#length + 2, type, true);
    this.#bytes.set(value, this.#length + ATTRIBUTE_HEADER_SIZE);
    this.#length += align(ATTRIBUTE_HEADER_SIZE + value.length);
    return this;
  }

  u8(type: number, value: number): this {
    return this.attribute(type, Uint8Array.of(value));
  }

  u32(type: number, value: number): this {
    return this.attribute(type, Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24));
  }

  /** A string with its terminating NUL. */
  string(type: number, value: string): this {
    return this.attribute(type, new TextEncoder().encode(`${value}\0`));
  }

  /** An attribute whose value is what `fill` appends. */
  nested(type: number, fill: (request: this) => void): this {
    const start = this.#length;
    this.#reserve(ATTRIBUTE_HEADER_SIZE);
    this.#length += ATTRIBUTE_HEADER_SIZE;
    fill(this);
    this.#view.setUint16(start, this.#length - start, true);
    this.#view.setUint16(start + 2, type | NLA_F_NESTED, true);
    return this;
  }

  /** The whole message. */
  finish(sequence: number): Uint8Array<ArrayBuffer> {
    this.#view.setUint32(0, this.#length, true);
    this.#view.setUint32(8, sequence, true);
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(length: number): void {
    if (this.#length + align(length) > MAX_REQUEST) throw new SysError('EMSGSIZE', 'netlink');
  }
}

/** One message of a reply. `payload` is without the header. */
export interface Reply {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** Splits one datagram into its messages. */
export function* splitReplies(datagram: Uint8Array): Generator<Reply> {
  const view = viewOf(datagram);
  for (let at = 0; at + HEADER_SIZE <= datagram.length; ) {
    const length = view.getUint32(at, true);
    if (length < HEADER_SIZE || at + length > datagram.length) throw new SysError('EBADMSG', 'netlink');
    yield {
      type: view.getUint16(at + 4, true),
      flags: view.getUint16(at + 6, true),
      sequence: view.getUint32(at + 8, true),
      payload: datagram.subarray(at + HEADER_SIZE, at + length),
    };
    at += align(length);
  }
}

/** Attributes by type; of repeated ones the last. */
export class Attributes {
  readonly #values = new Map<number, Uint8Array>();

  constructor(bytes: Uint8Array) {
    const view = viewOf(bytes);
    for (let at = 0; at + ATTRIBUTE_HEADER_SIZE <= bytes.length; ) {
      const length = view.getUint16(at, true);
      if (length < ATTRIBUTE_HEADER_SIZE || at + length > bytes.length) break;
      const type = view.getUint16(at + 2, true) & TYPE_MASK;
      this.#values.set(type, bytes.subarray(at + ATTRIBUTE_HEADER_SIZE, at + length));
      at += align(length);
    }
  }

  bytes(type: number): Uint8Array | undefined {
    return this.#values.get(type);
  }

  u32(type: number): number | undefined {
    const value = this.#values.get(type);
    return value === undefined || value.length < 4 ? undefined : viewOf(value).getUint32(0, true);
  }

  /** A string up to its NUL. */
  string(type: number): string | undefined {
    const value = this.#values.get(type);
    if (value === undefined) return undefined;
    const end = value.indexOf(0);
    return new TextDecoder().decode(end < 0 ? value : value.subarray(0, end));
  }

  nested(type: number): Attributes | undefined {
    const value = this.#values.get(type);
    return value === undefined ? undefined : new Attributes(value);
  }
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
