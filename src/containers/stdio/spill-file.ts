import { closeSync, ftruncateSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createId, dataLoss } from '#base';
import { createFdOps } from '#sys';
import type { OutputChunk } from '../types.ts';

const HEADER_BYTES = 5;
/** What has been taken is given back to the disk in pieces of at least this size. */
const FREE_BYTES = 8 * 1024 * 1024;
const BLOCK_BYTES = 4096;

/**
 * A queue of output chunks on disk, for a client that does not keep up. The file has no name, so nothing of it is
 * left when the daemon dies, and no more of it lies on the disk than waits, give or take 8 MiB.
 */
export class SpillFile implements Disposable {
  readonly #fd: number;
  #readAt = 0;
  #writeAt = 0;
  /** Up to here the file is a hole. */
  #freedTo = 0;
  #canFree = true;

  constructor(directory: string) {
    const path = join(directory, `.spill-${createId().slice(0, 16)}`);
    this.#fd = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
  }

  /** Bytes that wait, record headers included. */
  get pendingBytes(): number {
    return this.#writeAt - this.#readAt;
  }

  /** Bytes on the disk: more than wait, above all on a file system that cannot make holes. */
  get diskBytes(): number {
    return this.#writeAt - this.#freedTo;
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

  /** The oldest chunk; undefined when none waits. */
  shift(): OutputChunk | undefined {
    if (this.pendingBytes === 0) return undefined;
    const header = this.#read(HEADER_BYTES);
    const data = this.#read(header.readUInt32LE(1));
    this.#giveBack();
    return { stream: header[0] === 1 ? 'stdout' : 'stderr', data };
  }

  #giveBack(): void {
    if (this.pendingBytes === 0) {
      ftruncateSync(this.#fd, 0);
      this.#readAt = 0;
      this.#writeAt = 0;
      this.#freedTo = 0;
    } else if (this.#canFree && this.#readAt - this.#freedTo >= FREE_BYTES) {
      const end = this.#readAt - (this.#readAt % BLOCK_BYTES);
      try {
        createFdOps().fallocatePunchHole(this.#fd, BigInt(this.#freedTo), BigInt(end - this.#freedTo));
        this.#freedTo = end;
      } catch {
        this.#canFree = false;
      }
    }
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
