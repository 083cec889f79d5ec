/** Decodes the parts of msgpack that occur in fluentd's forward protocol; independent of the encoder under test. */
export class MsgpackReader {
  readonly #data: Buffer;
  offset = 0;

  constructor(data: Buffer) {
    this.#data = data;
  }

  /** The next value; undefined, with `offset` unchanged, when it has not all arrived. */
  tryNext(): unknown {
    const start = this.offset;
    try {
      return this.#value();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.offset = start;
      return undefined;
    }
  }

  #uint(bytes: number): number {
    if (this.offset + bytes > this.#data.length) throw new RangeError('more to come');
    this.offset += bytes;
    return this.#data.readUIntBE(this.offset - bytes, bytes);
  }

  #text(length: number): string {
    if (this.offset + length > this.#data.length) throw new RangeError('more to come');
    this.offset += length;
    return this.#data.toString('utf8', this.offset - length, this.offset);
  }

  #list(length: number): unknown[] {
    return Array.from({ length }, () => this.#value());
  }

  #map(length: number): Record<string, unknown> {
    return Object.fromEntries(Array.from({ length }, () => [String(this.#value()), this.#value()]));
  }

  #value(): unknown {
    const first = this.#uint(1);
    if (first < 0x80) return first;
    if (first < 0x90) return this.#map(first & 0x0f);
    if (first < 0xa0) return this.#list(first & 0x0f);
    if (first < 0xc0) return this.#text(first & 0x1f);
    const read = this.#types[first];
    if (!read) throw new Error(`unexpected type 0x${first.toString(16)}`);
    return read();
  }

  readonly #types: Readonly<Record<number, () => unknown>> = {
    194: () => false,
    195: () => true,
    204: () => this.#uint(1),
    205: () => this.#uint(2),
    206: () => this.#uint(4),
    215: () => ({ extension: this.#uint(1), seconds: this.#uint(4), nanoseconds: this.#uint(4) }),
    217: () => this.#text(this.#uint(1)),
    218: () => this.#text(this.#uint(2)),
    219: () => this.#text(this.#uint(4)),
    220: () => this.#list(this.#uint(2)),
    221: () => this.#list(this.#uint(4)),
    222: () => this.#map(this.#uint(2)),
  };
}
