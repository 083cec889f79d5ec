/** RFC 6455, section 5.2. */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
export type Opcode = (typeof OPCODE)[keyof typeof OPCODE];

/** RFC 6455, section 7.4.1. */
export const CLOSE = { normal: 1000, protocolError: 1002 } as const;

const FINAL = 0x80;
const MASKED = 0x80;
const MAX_CONTROL_BYTES = 125;

/** One whole unmasked frame, as a server sends it. */
export function encodeFrame(opcode: Opcode, data: Uint8Array): Buffer {
  const length = data.byteLength;
  const extra = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const frame = Buffer.allocUnsafe(2 + extra + length);
  frame[0] = FINAL | opcode;
  frame[1] = extra === 0 ? length : extra === 2 ? 126 : 127;
  if (extra === 2) frame.writeUInt16BE(length, 2);
  if (extra === 8) frame.writeBigUInt64BE(BigInt(length), 2);
  frame.set(data, 2 + extra);
  return frame;
}

/** The frame that ends a connection. */
export function closeFrame(code: number): Buffer {
  const body = Buffer.alloc(2);
  body.writeUInt16BE(code);
  return encodeFrame(OPCODE.close, body);
}

/** What a client has sent: a piece of a message, or a control frame. */
export type FrameEvent =
  | { readonly kind: 'data'; readonly data: Uint8Array }
  | { readonly kind: 'ping'; readonly data: Uint8Array }
  | { readonly kind: 'close' };

/** A client that does not keep to the protocol. */
export class FrameError extends Error {}

interface Header {
  readonly opcode: number;
  readonly mask: Uint8Array;
  readonly length: number;
}

/**
 * Takes a client's bytes apart. Messages are passed on piece by piece as they come, so that nothing but a control frame
 * (125 bytes) and a header is ever held.
 */
export class FrameDecoder {
  #pending: Buffer = Buffer.alloc(0);
  #header: Header | undefined;
  /** Of the present frame's payload. */
  #position = 0;

  /** @throws {@link FrameError}. */
  *push(chunk: Uint8Array): Generator<FrameEvent> {
    this.#pending = this.#pending.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#pending, chunk]);
    for (;;) {
      this.#header ??= this.#takeHeader();
      if (!this.#header) return;
      const { length, opcode } = this.#header;
      const isControl = opcode >= OPCODE.close;
      const left = length - this.#position;
      if (this.#pending.length === 0 && left > 0) return;
      if (isControl && this.#pending.length < left) return;
      const data = this.#takePayload(this.#header, Math.min(left, this.#pending.length));
      if (this.#position === length) {
        this.#header = undefined;
        this.#position = 0;
      }
      const event = eventOf(opcode, data);
      if (event) yield event;
    }
  }

  #takeHeader(): Header | undefined {
    const [first, second] = this.#pending;
    if (first === undefined || second === undefined) return undefined;
    const opcode = first & 0x0f;
    const short = second & 0x7f;
    if ((first & 0x70) !== 0) throw new FrameError('reserved bits are set');
    if ((second & MASKED) === 0) throw new FrameError('frame is not masked');
    if (!(Object.values(OPCODE) as number[]).includes(opcode)) throw new FrameError('unknown opcode');
    const isControl = opcode >= OPCODE.close;
    if (isControl && (short > MAX_CONTROL_BYTES || (first & FINAL) === 0)) {
      throw new FrameError('control frame is too long or in pieces');
    }
    const extra = short === 126 ? 2 : short === 127 ? 8 : 0;
    if (this.#pending.length < 2 + extra + 4) return undefined;
    const length = this.#readLength(short, extra);
    const mask = Uint8Array.from(this.#pending.subarray(2 + extra, 6 + extra));
    this.#pending = this.#pending.subarray(6 + extra);
    return { opcode, mask, length };
  }

  #readLength(short: number, extra: number): number {
    if (extra === 0) return short;
    if (extra === 2) return this.#pending.readUInt16BE(2);
    const length = this.#pending.readBigUInt64BE(2);
    if (length > BigInt(Number.MAX_SAFE_INTEGER)) throw new FrameError('frame is too long');
    return Number(length);
  }

  #takePayload({ mask }: Header, length: number): Uint8Array {
    const data = Uint8Array.from(this.#pending.subarray(0, length));
    this.#pending = this.#pending.subarray(length);
    for (let at = 0; at < length; at += 1) {
      data[at] = (data[at] ?? 0) ^ (mask[(this.#position + at) % 4] ?? 0);
    }
    this.#position += length;
    return data;
  }
}

function eventOf(opcode: number, data: Uint8Array): FrameEvent | undefined {
  if (opcode === OPCODE.close) return { kind: 'close' };
  if (opcode === OPCODE.ping) return { kind: 'ping', data };
  if (opcode === OPCODE.pong || data.length === 0) return undefined;
  return { kind: 'data', data };
}
