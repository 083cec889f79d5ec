import { closeSync, openSync, readSync } from 'node:fs';
import { GantryError } from '#base';

const READ_BYTES = 1024 * 1024;
/** How long a reader sleeps before it asks again whether it is still wanted. */
const WAIT_MS = 200;

const AVAILABLE = 0;
const STATE = 1;
const GROWING = 0n;
const COMPLETE = 1n;
const ABANDONED = 2n;

/** How far a file has been written, told by its writer to a reader on another thread. */
export class Growth {
  readonly shared: SharedArrayBuffer;
  readonly #cells: BigInt64Array;

  constructor(shared = new SharedArrayBuffer(2 * BigInt64Array.BYTES_PER_ELEMENT)) {
    this.shared = shared;
    this.#cells = new BigInt64Array(shared);
  }

  /** @param bytes from the start of the file. */
  grown(bytes: number): void {
    Atomics.store(this.#cells, AVAILABLE, BigInt(bytes));
    Atomics.notify(this.#cells, AVAILABLE);
  }

  complete(): void {
    this.#end(COMPLETE);
  }

  abandon(): void {
    this.#end(ABANDONED);
  }

  #end(state: bigint): void {
    Atomics.compareExchange(this.#cells, STATE, GROWING, state);
    Atomics.notify(this.#cells, AVAILABLE);
  }

  /** Blocks the thread until there is more than `position`, or nothing more to come; answers what there is. */
  wait(position: number, isWanted: () => void): number {
    for (;;) {
      isWanted();
      const state = Atomics.load(this.#cells, STATE);
      if (state === ABANDONED) throw new GantryError('canceled', 'applying the layer was canceled');
      const available = Number(Atomics.load(this.#cells, AVAILABLE));
      if (available > position || state === COMPLETE) return available;
      Atomics.wait(this.#cells, AVAILABLE, BigInt(available), WAIT_MS);
    }
  }
}

/**
 * Reads a file that is still being written, to its end, in a Worker (it blocks). A piece is only valid during the
 * call; an empty one only asks whether to go on.
 */
export function readGrowing(path: string, growth: Growth, take: (chunk: Uint8Array) => void): void {
  const fd = openSync(path, 'r');
  try {
    const buffer = new Uint8Array(READ_BYTES);
    const ask = (): void => take(buffer.subarray(0, 0));
    for (let at = 0, end = growth.wait(0, ask); at < end; ) {
      const length = readSync(fd, buffer, 0, Math.min(buffer.length, end - at), at);
      // What was announced is there: a shorter file has been cut by somebody else.
      if (length === 0) throw new GantryError('data_loss', 'the blob shrank while it was read');
      take(buffer.subarray(0, length));
      at += length;
      if (at === end) end = growth.wait(at, ask);
    }
  } finally {
    closeSync(fd);
  }
}
