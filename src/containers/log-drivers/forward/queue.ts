import type { SpoolCommit } from '../spool/position-file.ts';
import type { LogMessage } from '../types.ts';

/** A message on its way to the sink. */
export interface QueuedMessage {
  readonly message: LogMessage;
  /** Up to where everything is delivered once this is. Undefined within an entry of the spool. */
  readonly commit: SpoolCommit | undefined;
}

/** Lines that are not delivered, in place of which one line says how many they were. */
export interface Loss {
  readonly lines: number;
  /** Some were lost that nobody counted. */
  readonly isAtLeast: boolean;
  readonly commit: SpoolCommit | undefined;
}

type Item = QueuedMessage | { readonly loss: Loss };

const MAX_BATCH_MESSAGES = 256;
const MAX_BATCH_BYTES = 64 * 1024;

/** What has been read from the spool and not been taken by the sink: at most a block of it, in order. */
export class MessageQueue {
  readonly #now: () => number;
  #items: Item[] = [];
  #inFlight = 0;

  /** `now` dates the lines that tell of losses. */
  constructor(now: () => number) {
    this.#now = now;
  }

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  push(messages: readonly QueuedMessage[]): void {
    this.#items.push(...messages);
  }

  /** Bytes of lines that are not in flight. */
  get waitingBytes(): number {
    return this.#items.slice(this.#inFlight).reduce((sum, item) => sum + bytesOf(item), 0);
  }

  /** The next messages to send; until {@link settle} they are in flight and cannot be dropped. */
  takeBatch(): LogMessage[] {
    let bytes = 0;
    let count = 0;
    while (count < Math.min(this.#items.length, MAX_BATCH_MESSAGES)) {
      bytes += bytesOf(this.#items[count]);
      if (count > 0 && bytes > MAX_BATCH_BYTES) break;
      count += 1;
    }
    this.#inFlight = count;
    return this.#items.slice(0, count).map((item) => this.#render(item));
  }

  /** The sink has taken so many of the batch. Returns the newest place that is delivered wholly with them. */
  settle(taken: number): SpoolCommit | undefined {
    this.#inFlight = 0;
    const commits = this.#items.splice(0, taken).map(commitOf);
    return commits.findLast((commit) => commit !== undefined);
  }

  /** Drops the oldest messages that are not in flight, up to `bytes`. Returns how many bytes are still to be dropped. */
  dropOldest(bytes: number): number {
    let left = bytes;
    let lost: Loss = { lines: 0, isAtLeast: false, commit: undefined };
    while (left > 0 && this.#items.length > this.#inFlight) {
      const [item] = this.#items.splice(this.#inFlight, 1);
      if (!item) break;
      left -= bytesOf(item);
      lost = add(lost, item);
    }
    if (lost.lines > 0) this.#insertLoss(this.#inFlight, lost);
    return left;
  }

  /** Gives up everything that is not in flight. */
  dropAll(): void {
    this.dropOldest(Number.POSITIVE_INFINITY);
  }

  /** Lines of the spool after all that is queued are lost. */
  pushLoss(loss: Loss): void {
    this.#insertLoss(this.#items.length, loss);
  }

  /** Losses that lie side by side become one line. */
  #insertLoss(at: number, loss: Loss): void {
    const before = at > this.#inFlight ? this.#items[at - 1] : undefined;
    const merged = before && 'loss' in before ? add(before.loss, { loss }) : loss;
    this.#items.splice(merged === loss ? at : at - 1, merged === loss ? 0 : 1, { loss: merged });
  }

  #render(item: Item): LogMessage {
    if ('message' in item) return item.message;
    const { lines, isAtLeast } = item.loss;
    return {
      stream: 'stderr',
      time: new Date(this.#now()).toISOString(),
      line: Buffer.from(lossText(lines, isAtLeast)),
    };
  }
}

/** What stands in the sink in place of dropped lines. */
export function lossText(lines: number, isAtLeast: boolean): string {
  const count = isAtLeast ? (lines === 0 ? 'an unknown number of' : `at least ${lines}`) : String(lines);
  return `gantry: dropped ${count} log ${lines === 1 && !isAtLeast ? 'line' : 'lines'}: the log sink did not keep up`;
}

const commitOf = (item: Item): SpoolCommit | undefined => ('loss' in item ? item.loss.commit : item.commit);

/** As in the spool: a line has a newline. */
const bytesOf = (item: Item | undefined): number =>
  item && 'message' in item ? item.message.line.length + 1 : 0;

/** A piece of a long line counts with the line's last piece. */
function add(loss: Loss, item: Item): Loss {
  const commit = commitOf(item) ?? loss.commit;
  if ('loss' in item) {
    const { lines, isAtLeast } = item.loss;
    return { lines: loss.lines + lines, isAtLeast: loss.isAtLeast || isAtLeast, commit };
  }
  const isLine = item.message.partial?.last ?? true;
  return { ...loss, lines: loss.lines + (isLine ? 1 : 0), commit };
}
