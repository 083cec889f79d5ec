import { createId } from '#base';
import type { LogEntry } from '../logs/entry.ts';
import type { LogMessage } from './types.ts';

/** No message is longer, in bytes: docker's limit, above which a line is sent in pieces. */
export const MAX_MESSAGE_BYTES = 16 * 1024;

/** The beginning of a line whose end has not come yet. Never changed once made. */
export interface PendingLine {
  readonly time: string;
  readonly parts: readonly Buffer[];
  readonly sizeBytes: number;
  /** Set when pieces of the line have been sent already. */
  readonly piece?: { readonly id: string; readonly ordinal: number };
}

/** Per stream. */
export type PendingLines = Readonly<Partial<Record<LogMessage['stream'], PendingLine>>>;

/**
 * Puts entries of the spool together to messages: conmon cuts lines wherever its buffer ended (flag `P`), sinks get
 * whole lines up to {@link MAX_MESSAGE_BYTES} and numbered pieces of longer ones.
 */
export class MessageJoiner {
  readonly #newId: () => string;
  #pending: PendingLines;

  constructor(pending: PendingLines = {}, newId: () => string = createId) {
    this.#pending = pending;
    this.#newId = newId;
  }

  /** The unfinished lines, as of now. */
  get pending(): PendingLines {
    return this.#pending;
  }

  /** Forgets unfinished lines. */
  reset(): void {
    this.#pending = {};
  }

  /** The messages that are complete with this entry. They may share its memory. */
  push(entry: LogEntry): LogMessage[] {
    const { stream, content } = entry;
    const before = this.#pending[stream];
    if (!before && entry.isFull && content.length <= MAX_MESSAGE_BYTES) {
      return [{ stream, time: entry.time, line: content }];
    }
    const messages: LogMessage[] = [];
    let line = append(before ?? { time: entry.time, parts: [], sizeBytes: 0 }, content);
    while (line.sizeBytes > MAX_MESSAGE_BYTES) line = this.#cut(stream, line, messages);
    const { [stream]: _, ...others } = this.#pending;
    if (entry.isFull) {
      messages.push(finish(stream, line));
      this.#pending = others;
    } else {
      this.#pending = { ...others, [stream]: own(line) };
    }
    return messages;
  }

  /** What is left when there will be no more output: lines without an end, as pieces that are not the last. */
  flush(): LogMessage[] {
    const messages: LogMessage[] = [];
    for (const stream of ['stdout', 'stderr'] as const) {
      const line = this.#pending[stream];
      if (line && line.sizeBytes > 0) this.#cut(stream, line, messages);
    }
    this.#pending = {};
    return messages;
  }

  /** Moves the first piece of `line` to `messages`; the rest of the line remains. */
  #cut(stream: LogMessage['stream'], line: PendingLine, messages: LogMessage[]): PendingLine {
    const data = Buffer.concat(line.parts);
    const { id, ordinal } = line.piece ?? { id: this.#newId(), ordinal: 1 };
    messages.push({
      stream,
      time: line.time,
      line: data.subarray(0, MAX_MESSAGE_BYTES),
      partial: { id, ordinal, last: false },
    });
    const rest = data.subarray(MAX_MESSAGE_BYTES);
    return { time: line.time, parts: [rest], sizeBytes: rest.length, piece: { id, ordinal: ordinal + 1 } };
  }
}

function append(line: PendingLine, content: Buffer): PendingLine {
  return { ...line, parts: [...line.parts, content], sizeBytes: line.sizeBytes + content.length };
}

/** With memory of its own: a waiting line must not hold the block it was read in. */
function own(line: PendingLine): PendingLine {
  return { ...line, parts: [Buffer.concat(line.parts)] };
}

function finish(stream: LogMessage['stream'], { time, parts, piece }: PendingLine): LogMessage {
  const message = { stream, time, line: Buffer.concat(parts) };
  return piece ? { ...message, partial: { ...piece, last: true } } : message;
}
