import type { LogOptions, OutputChunk } from '../types.ts';
import { formatLogTime, type LogEntry, parseEntry, timeToNs } from './entry.ts';

/** Turns lines of the log into output: filters by stream and time, puts times and details in front. */
export class LogRenderer {
  readonly #options: Pick<LogOptions, 'stdout' | 'stderr' | 'timestamps' | 'sinceNs' | 'untilNs'>;
  readonly #details: string;
  /** Streams in the middle of a line: what follows needs no prefix. */
  readonly #midLine = new Set<OutputChunk['stream']>();
  #isPastUntil = false;

  /** `details` is put in front of each line when not empty. */
  constructor(options: LogOptions, details: string) {
    this.#options = options;
    this.#details = details === '' ? '' : `${details} `;
  }

  /** True once an entry later than `untilNs` was seen: nothing more will come. */
  get isPastUntil(): boolean {
    return this.#isPastUntil;
  }

  /** One chunk for each entry: clients take what comes in one frame for one line. */
  render(lines: readonly Buffer[]): OutputChunk[] {
    const chunks: OutputChunk[] = [];
    for (const line of lines) {
      const entry = parseEntry(line);
      if (entry && this.#isSelected(entry)) chunks.push({ stream: entry.stream, data: this.#text(entry) });
    }
    return chunks;
  }

  #isSelected(entry: LogEntry): boolean {
    if (this.#isPastUntil || !this.#options[entry.stream]) return false;
    const { sinceNs, untilNs } = this.#options;
    if (sinceNs === undefined && untilNs === undefined) return true;
    const time = timeToNs(entry.time) ?? 0n;
    if (untilNs !== undefined && time > untilNs) this.#isPastUntil = true;
    return !this.#isPastUntil && (sinceNs === undefined || time >= sinceNs);
  }

  #text(entry: LogEntry): Buffer {
    const parts: Uint8Array[] = [entry.content];
    if (!this.#midLine.has(entry.stream)) parts.unshift(this.#prefix(entry));
    if (entry.isFull) {
      parts.push(NEWLINE);
      this.#midLine.delete(entry.stream);
    } else this.#midLine.add(entry.stream);
    return Buffer.concat(parts);
  }

  #prefix({ time }: LogEntry): Buffer {
    return Buffer.from(`${this.#options.timestamps ? `${formatLogTime(time)} ` : ''}${this.#details}`);
  }
}

const NEWLINE = Uint8Array.of(0x0a);
