import type { FileHandle } from 'node:fs/promises';
import { type SpoolPosition, scanSpool } from '../log-drivers/index.ts';
import type { OutputChunk } from '../types.ts';
import { type LogEntry, parseEntry } from './entry.ts';

const BLOCK_BYTES = 64 * 1024;
/** An unfinished line longer than this is damage; the search goes on before it. */
const MAX_LINE_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;

/**
 * Finds where the last `lines` lines of the wanted streams begin, reading backwards from the end only as far as needed.
 * Undefined: at the very beginning.
 */
export async function findTail(
  path: string,
  lines: number,
  isWanted: (stream: OutputChunk['stream']) => boolean,
): Promise<SpoolPosition | undefined> {
  const counter = new LineCounter(lines, isWanted);
  const seen = new Set<string>();
  for await (const { opened } of scanSpool(path)) {
    const { fingerprint } = opened;
    if (fingerprint === undefined || seen.has(fingerprint)) {
      await opened[Symbol.asyncDispose]();
      continue;
    }
    seen.add(fingerprint);
    await using handle = await opened.take();
    const offset = await searchBackwards(handle, counter);
    if (offset !== undefined) return { file: fingerprint, offset };
  }
  return undefined;
}

class LineCounter {
  readonly #limit: number;
  readonly #isWanted: (stream: OutputChunk['stream']) => boolean;
  readonly #openStreams = new Set<OutputChunk['stream']>();
  #count = 0;

  constructor(limit: number, isWanted: (stream: OutputChunk['stream']) => boolean) {
    this.#limit = limit;
    this.#isWanted = isWanted;
  }

  /** Takes entries from the last to the first. True when `entry` lies before the wanted lines. */
  isBefore(entry: LogEntry): boolean {
    if (!this.#isWanted(entry.stream)) return false;
    // A partial entry belongs to the line that the entry after it ends, except for the very last one.
    if (entry.isFull || !this.#openStreams.has(entry.stream)) this.#count += 1;
    this.#openStreams.add(entry.stream);
    return this.#count > this.#limit;
  }
}

async function searchBackwards(handle: FileHandle, counter: LineCounter): Promise<number | undefined> {
  let { size: end } = await handle.stat();
  // `rest` are the bytes from the block's start to the end of the line that is cut by it.
  let rest: Buffer = Buffer.alloc(0);
  while (end > 0) {
    const start = Math.max(0, end - BLOCK_BYTES);
    const block = Buffer.allocUnsafe(end - start);
    const { bytesRead } = await handle.read(block, 0, block.length, start);
    const data = Buffer.concat([block.subarray(0, bytesRead), rest]);
    const found = scanLines(data, start === 0, counter);
    if (found.offset !== undefined) return start + found.offset;
    rest = found.rest.length > MAX_LINE_BYTES ? Buffer.alloc(0) : Buffer.from(found.rest);
    end = start;
  }
  return undefined;
}

/** Hands the lines of `data` to the counter, last first. The first line is complete only at the file's start. */
function scanLines(
  data: Buffer,
  isFileStart: boolean,
  counter: LineCounter,
): { readonly offset?: number; readonly rest: Buffer } {
  let lineEnd = data.length;
  while (lineEnd > 0) {
    const last = lineEnd - 1;
    const contentEnd = data[last] === NEWLINE ? last : lineEnd;
    const before = contentEnd === 0 ? -1 : data.lastIndexOf(NEWLINE, contentEnd - 1);
    if (before < 0 && !isFileStart) break;
    const entry = parseEntry(data.subarray(before + 1, contentEnd));
    if (entry && counter.isBefore(entry)) return { offset: lineEnd, rest: Buffer.alloc(0) };
    lineEnd = before + 1;
  }
  return { rest: data.subarray(0, lineEnd) };
}
