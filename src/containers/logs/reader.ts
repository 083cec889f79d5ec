import { statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { errnoCode } from '#base';
import type { LogOptions, OutputChunk } from '../types.ts';
import { logFiles } from './files.ts';
import { LineReader } from './line-reader.ts';
import { LogRenderer } from './render.ts';
import { findTail, type LogPosition } from './tail.ts';
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
 * ended and everything is out, the signal aborts, or an entry after `untilNs` comes.
 */
export async function* readLog(source: LogSource, options: LogOptions): AsyncGenerator<OutputChunk> {
  const follower = options.follow && source.ended ? new Follower(source, source.ended, options) : undefined;
  try {
    const renderer = new LogRenderer(options, options.details ? source.details : '');
    const start = await startPosition(source.path, options);
    for await (const lines of readFiles(source.path, start, follower, options.signal)) {
      yield* renderer.render(lines);
      if (renderer.isPastUntil) return;
    }
  } finally {
    follower?.[Symbol.dispose]();
  }
}

async function startPosition(path: string, { tail, stdout, stderr }: LogOptions): Promise<LogPosition> {
  if (tail === undefined || tail < 0) return { file: 0, offset: 0 };
  return await findTail(logFiles(path), tail, (stream) => (stream === 'stdout' ? stdout : stderr));
}

/** Says at the end of a file whether to wait for more. */
class Follower implements Disposable {
  readonly #changes: ChangeWaiter;
  readonly #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = () => this.#changes.wake();
  #isEnded = false;

  constructor(source: LogSource, ended: Promise<unknown>, options: LogOptions) {
    this.#changes = new ChangeWaiter(source.path);
    this.#signal = options.signal;
    options.signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (options.untilNs !== undefined) {
      const leftMs = Number(options.untilNs / 1_000_000n) - Date.now();
      this.#timer = setTimeout(() => this.#end(), Math.min(Math.max(leftMs, 0), 2 ** 31 - 1));
    }
    const end = () => this.#end();
    void ended.then(end, end);
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
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#changes[Symbol.dispose]();
  }
}

/** The lines of all files from `start`, block by block. Every file is read by its descriptor, so a rename does no harm. */
async function* readFiles(
  path: string,
  start: LogPosition,
  follower: Follower | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer[]> {
  let offset = start.offset;
  let current = await openFile(logFiles(path)[start.file]);
  while (current) {
    const reader = new LineReader(current.handle, offset);
    try {
      yield* readToEnd(reader, path, current.inode, follower, signal);
    } finally {
      await current.handle.close();
    }
    offset = 0;
    if (signal?.aborted) return;
    current = await openFile(nextFile(path, current.inode));
  }
}

async function* readToEnd(
  reader: LineReader,
  path: string,
  inode: number,
  follower: Follower | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer[]> {
  for (let isLast = false; ; ) {
    for (let lines = await reader.next(); lines; lines = await reader.next()) {
      if (signal?.aborted) return;
      yield lines;
    }
    if (isLast || signal?.aborted) return;
    // Once there is a newer file this one grows no more, but it may have grown since we met its end. Between the
    // rename and the new file there is none at all.
    const newest = inodeOf(path);
    isLast = (newest !== undefined && newest !== inode) || !(await follower?.wait());
  }
}

interface OpenLog {
  readonly handle: FileHandle;
  readonly inode: number;
}

async function openFile(path: string | undefined): Promise<OpenLog | undefined> {
  if (path === undefined) return undefined;
  try {
    const handle = await open(path, 'r');
    return { handle, inode: (await handle.stat()).ino };
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

const inodeOf = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino;

/** The file after the one with this inode; the oldest when rotation has removed that one meanwhile. */
function nextFile(path: string, inode: number): string | undefined {
  const files = logFiles(path);
  const at = files.findIndex((file) => inodeOf(file) === inode);
  if (at < 0 && files.length === 0) return undefined;
  return files[at + 1];
}
