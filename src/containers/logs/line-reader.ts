import type { FileHandle } from 'node:fs/promises';

const BLOCK_BYTES = 256 * 1024;
/** A line longer than this is damage, not a log line: it is skipped. conmon's own lines are below 9 kB. */
const MAX_LINE_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;

/** Reads complete lines forward from one open file; memory stays bounded whatever the file holds. */
export class LineReader {
  readonly #file: FileHandle;
  #position: number;
  #rest: Buffer = Buffer.alloc(0);
  #isSkipping = false;

  constructor(file: FileHandle, position: number) {
    this.#file = file;
    this.#position = position;
  }

  /**
   * The complete lines of the next block, without newlines. Undefined at the present end of the file; an unfinished
   * line waits for its rest. The buffers are valid until the next call.
   */
  async next(): Promise<Buffer[] | undefined> {
    const block = Buffer.allocUnsafe(BLOCK_BYTES);
    const { bytesRead } = await this.#file.read(block, 0, BLOCK_BYTES, this.#position);
    if (bytesRead === 0) return undefined;
    this.#position += bytesRead;
    return this.#split(block.subarray(0, bytesRead));
  }

  #split(block: Buffer): Buffer[] {
    const data = this.#rest.length > 0 ? Buffer.concat([this.#rest, block]) : block;
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = data.indexOf(NEWLINE); end >= 0; end = data.indexOf(NEWLINE, start)) {
      if (this.#isSkipping) this.#isSkipping = false;
      else lines.push(data.subarray(start, end));
      start = end + 1;
    }
    this.#keep(data.subarray(start));
    return lines;
  }

  #keep(rest: Buffer): void {
    if (rest.length > MAX_LINE_BYTES) this.#isSkipping = true;
    this.#rest = this.#isSkipping ? Buffer.alloc(0) : Buffer.from(rest);
  }
}
