import { onSettled, systemClock } from '#base';
import { SpoolCursor, type SpoolPosition } from '../log-drivers/index.ts';
import type { LogOptions, OutputChunk } from '../types.ts';
import { LogRenderer } from './render.ts';
import { findTail } from './tail.ts';
import { ChangeWaiter } from './wake.ts';

export interface LogSource {
  readonly path: string;
  /** Put in front of each line when `details` are asked for. */
  readonly details: string;
  /** Settled once the process has ended and the log is complete; undefined: it does not run. */
  readonly ended: Promise<unknown> | undefined;
}

/**
 * Reads a log in order, over rotated files, in constant memory. With `follow` it goes on until the process has
 * ended and everything is out, the signal aborts, or an entry after `untilNs` comes. What was read at once comes at
 * once, one chunk for each entry.
 */
export async function* readLog(source: LogSource, options: LogOptions): AsyncGenerator<OutputChunk[]> {
  const follower = options.follow && source.ended ? new Follower(source, source.ended, options) : undefined;
  try {
    const renderer = new LogRenderer(options, options.details ? source.details : '');
    const start = await startPosition(source.path, options);
    for await (const lines of readLines(source.path, start, follower, options.signal)) {
      const chunks = renderer.render(lines);
      if (chunks.length > 0) yield chunks;
      if (renderer.isPastUntil) return;
    }
  } finally {
    follower?.[Symbol.dispose]();
  }
}

async function startPosition(
  path: string,
  { tail, stdout, stderr }: LogOptions,
): Promise<SpoolPosition | undefined> {
  if (tail === undefined || tail < 0) return undefined;
  return await findTail(path, tail, (stream) => (stream === 'stdout' ? stdout : stderr));
}

/** Says at the end of a file whether to wait for more. */
class Follower implements Disposable {
  readonly #changes: ChangeWaiter;
  readonly #cancelEnd: (() => void) | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = () => this.#changes.wake();
  readonly #ending: Disposable;
  #isEnded = false;

  constructor(source: LogSource, ended: Promise<unknown>, options: LogOptions) {
    this.#changes = new ChangeWaiter(source.path);
    this.#signal = options.signal;
    options.signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (options.untilNs !== undefined) {
      const leftMs = Number(options.untilNs / 1_000_000n) - Date.now();
      this.#cancelEnd = systemClock.schedule(leftMs, () => this.#end());
    }
    this.#ending = onSettled(ended, () => this.#end());
  }

  #end(): void {
    this.#isEnded = true;
    this.#changes.wake();
  }

  /** Waits for news. False: the process has ended, what is there now is all. */
  async wait(): Promise<boolean> {
    if (this.#isEnded) return false;
    await this.#changes.wait();
    return true;
  }

  [Symbol.dispose](): void {
    this.#cancelEnd?.();
    this.#ending[Symbol.dispose]();
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#changes[Symbol.dispose]();
  }
}

/** The lines of all files from `start`, block by block; what rotation and compression do meanwhile does no harm. */
async function* readLines(
  path: string,
  start: SpoolPosition | undefined,
  follower: Follower | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer[]> {
  await using cursor = new SpoolCursor(path, start);
  for (let isLast = follower === undefined; ; isLast = !(await follower?.wait())) {
    for (let lines = await cursor.read(); lines.length > 0; lines = await cursor.read()) {
      if (signal?.aborted) return;
      yield lines.map(({ line }) => line);
    }
    if (isLast || signal?.aborted) return;
  }
}
