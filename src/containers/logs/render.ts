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

  /** Neighbouring entries of one stream become one chunk. */
  render(lines: readonly Buffer[]): OutputChunk[] {
    const chunks: OutputChunk[] = [];
    let parts: Uint8Array[] = [];
    let current: OutputChunk['stream'] | undefined;
    const flush = () => {
      if (current && parts.length > 0) chunks.push({ stream: current, data: Buffer.concat(parts) });
      parts = [];
    };
    for (const line of lines) {
      const entry = parseEntry(line);
      if (!entry || !this.#isSelected(entry)) continue;
      if (entry.stream !== current) flush();
      current = entry.stream;
      this.#append(entry, parts);
    }
    flush();
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

  #append(entry: LogEntry, parts: Uint8Array[]): void {
    if (!this.#midLine.has(entry.stream)) {
      const prefix = `${this.#options.timestamps ? `${formatLogTime(entry.time)} ` : ''}${this.#details}`;
      if (prefix !== '') parts.push(Buffer.from(prefix));
    }
    parts.push(entry.content);
    if (entry.isFull) {
      parts.push(NEWLINE);
      this.#midLine.delete(entry.stream);
    } else this.#midLine.add(entry.stream);
  }
}

const NEWLINE = Uint8Array.of(0x0a);
