/** Skippable frames carry this in their upper 28 bits; zstd:chunked and seekable files have some. */
const SKIPPABLE_MAGIC = 0x184d2a5;
const FRAME_MAGIC = 0xfd2fb528;
const MAGIC_BYTES = 4;
const BLOCK_HEADER_BYTES = 3;
const CHECKSUM_BYTES = 4;
const RLE_BLOCK = 1;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const;
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;

/** Whether the first four bytes of a file, as a little-endian number, begin a zstd or skippable frame. */
export const isZstdMagic = (magic: number): boolean =>
  magic === FRAME_MAGIC || magic >>> 4 === SKIPPABLE_MAGIC;

type Step = 'magic' | 'skippable-size' | 'descriptor' | 'block-header' | 'frame-end';

/**
 * Follows the frames and blocks of a zstd stream without decoding them, to tell whether it ends where a frame ends.
 * Source: RFC 8878, 3.1. Damage inside is the decoder's business.
 */
export class ZstdFrameScanner {
  #step: Step = 'magic';
  /** Bytes to pass over before the next step. */
  #skip = 0;
  #needed = MAGIC_BYTES;
  #value = 0;
  #collected = 0;
  #hasChecksum = false;

  /** True before the first byte and after a whole frame. */
  get isAtBoundary(): boolean {
    return this.#step === 'magic' && this.#skip === 0 && this.#collected === 0;
  }

  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#skip > 0) {
        const length = Math.min(this.#skip, chunk.length - at);
        this.#skip -= length;
        at += length;
        if (this.#skip === 0) this.#afterSkip();
      } else {
        this.#value += (chunk[at] ?? 0) * 2 ** (8 * this.#collected);
        this.#collected += 1;
        at += 1;
        if (this.#collected === this.#needed) this.#take();
      }
    }
  }

  #take(): void {
    const value = this.#value;
    this.#value = 0;
    this.#collected = 0;
    if (this.#step === 'magic') this.#expect(value === FRAME_MAGIC ? 'descriptor' : 'skippable-size');
    else if (this.#step === 'skippable-size') this.#pass(value, 'frame-end');
    else if (this.#step === 'descriptor') this.#takeDescriptor(value);
    else this.#takeBlockHeader(value);
  }

  #takeDescriptor(descriptor: number): void {
    const isSingleSegment = (descriptor & 0x20) !== 0;
    const contentSizeFlag = descriptor >> 6;
    this.#hasChecksum = (descriptor & 0x04) !== 0;
    const contentSize =
      contentSizeFlag === 0 && isSingleSegment ? 1 : (CONTENT_SIZE_BYTES[contentSizeFlag] ?? 0);
    const rest = (isSingleSegment ? 0 : 1) + (DICTIONARY_ID_BYTES[descriptor & 0x03] ?? 0) + contentSize;
    this.#pass(rest, 'block-header');
  }

  #takeBlockHeader(header: number): void {
    const isLast = (header & 1) !== 0;
    const size = ((header >> 1) & 3) === RLE_BLOCK ? 1 : header >> 3;
    if (isLast) this.#pass(size + (this.#hasChecksum ? CHECKSUM_BYTES : 0), 'frame-end');
    else this.#pass(size, 'block-header');
  }

  #pass(bytes: number, next: Step): void {
    this.#skip = bytes;
    this.#expect(next);
    if (bytes === 0) this.#afterSkip();
  }

  #afterSkip(): void {
    if (this.#step === 'frame-end') this.#expect('magic');
  }

  #expect(step: Step): void {
    this.#step = step;
    if (step === 'magic' || step === 'skippable-size') this.#needed = MAGIC_BYTES;
    else this.#needed = step === 'descriptor' ? 1 : BLOCK_HEADER_BYTES;
  }
}
