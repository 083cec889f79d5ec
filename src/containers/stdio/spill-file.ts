import { closeSync, ftruncateSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createId, dataLoss } from '#base';
import type { OutputChunk } from '../types.ts';

const HEADER_BYTES = 5;

/**
 * A queue of output chunks on disk, for a client that does not keep up. The file has no name, so nothing of it is
 * left when the daemon dies.
 */
export class SpillFile implements Disposable {
  readonly #fd: number;
  #readAt = 0;
  #writeAt = 0;

  constructor(directory: string) {
    const path = join(directory, `.spill-${createId().slice(0, 16)}`);
    this.#fd = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
  }

  /** Bytes that wait, record headers included. */
  get pendingBytes(): number {
    return this.#writeAt - this.#readAt;
  }

  push({ stream, data }: OutputChunk): void {
    const record = Buffer.allocUnsafe(HEADER_BYTES + data.length);
    record[0] = stream === 'stdout' ? 1 : 2;
    record.writeUInt32LE(data.length, 1);
    record.set(data, HEADER_BYTES);
    for (let done = 0; done < record.length; ) {
      done += writeSync(this.#fd, record, done, record.length - done, this.#writeAt + done);
    }
    this.#writeAt += record.length;
  }

  /** The oldest chunk; undefined when none waits. The space is given back as soon as all have been taken. */
  shift(): OutputChunk | undefined {
    if (this.pendingBytes === 0) return undefined;
    const header = this.#read(HEADER_BYTES);
    const data = this.#read(header.readUInt32LE(1));
    if (this.pendingBytes === 0) {
      ftruncateSync(this.#fd, 0);
      this.#readAt = 0;
      this.#writeAt = 0;
    }
    return { stream: header[0] === 1 ? 'stdout' : 'stderr', data };
  }

  #read(length: number): Buffer {
    const buffer = Buffer.allocUnsafe(length);
    for (let done = 0; done < length; ) {
      const count = readSync(this.#fd, buffer, done, length - done, this.#readAt + done);
      if (count === 0) throw dataLoss('the spill file of an attached client ended early');
      done += count;
    }
    this.#readAt += length;
    return buffer;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}
