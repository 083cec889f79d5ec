import { type Clock, errorMessage, KeyedMutex, type Logger, sleep } from '#base';
import { parseEntry } from '../../logs/entry.ts';
import { MessageJoiner } from '../joiner.ts';
import { SpoolCursor } from '../spool/cursor.ts';
import { type SpoolFile, spoolDiskBytes } from '../spool/files.ts';
import { readCommit, type SpoolCommit, writeCommit } from '../spool/position-file.ts';
import type { SpoolGuard } from '../spool/rotator.ts';
import type { LogSink, SinkSettings } from '../types.ts';
import { Backoff } from './backoff.ts';
import { withLimit } from './limit.ts';
import { type Loss, MessageQueue, type QueuedMessage } from './queue.ts';
import { SpoolWatch } from './watch.ts';

export interface ForwarderOptions {
  readonly spoolPath: string;
  /** Where the place of the last delivered line is kept. */
  readonly positionPath: string;
  readonly sink: SinkSettings;
  /** Shown in the daemon's log. */
  readonly driver: string;
  /**
   * Non-blocking mode: a backlog of more bytes than this drops its oldest lines. Undefined: blocking mode, nothing is
   * dropped and rotation waits.
   */
  readonly maxLagBytes: number | undefined;
  /** Blocking mode: on a backlog that takes more disk than this, rotation goes on all the same. */
  readonly maxSpoolBytes: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How a forwarder does, for `info` and tests. */
export interface ForwarderStatus {
  readonly isConnected: boolean;
  /** Failed attempts since the last success, and what was wrong with the last one. */
  readonly failures: number;
  readonly lastError: string | undefined;
}

const CONNECT_TIMEOUT_MS = 10_000;
const SEND_TIMEOUT_MS = 10_000;
/** How often the backlog is measured in non-blocking mode, and the place written to disk. */
const MEASURE_EVERY_MS = 1_000;
const SAVE_EVERY_MS = 1_000;
const CURSOR = 'cursor';

/**
 * Delivers one container's spool to its sink, in order, at least once.
 *
 * One loop reads a block, sends it, reads the next. While it waits (for the sink, for the end of a pause) it goes on
 * measuring the backlog if it may drop. Neither the container nor any other forwarder waits for it: what it holds is
 * one block of messages, one descriptor and one connection.
 */
export class Forwarder implements SpoolGuard, AsyncDisposable {
  readonly #options: ForwarderOptions;
  readonly #queue: MessageQueue;
  readonly #backoff: Backoff;
  /** Of reading here, apart from the sink's. */
  readonly #troubles = new Backoff();
  #trouble: string | undefined;
  readonly #locks = new KeyedMutex();
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  #cursor: SpoolCursor;
  #joiner = new MessageJoiner();
  #watch: SpoolWatch | undefined;
  #sink: LogSink | undefined;
  #retryAtMs = 0;
  #measuredAtMs = 0;
  #savedAtMs = 0;
  #commit: SpoolCommit | undefined;
  #saved: SpoolCommit | undefined;
  #isComplete = false;
  #lastError: string | undefined;

  constructor(options: ForwarderOptions) {
    this.#options = options;
    this.#queue = new MessageQueue(() => options.clock.now());
    this.#backoff = new Backoff(options.sink.retry);
    this.#cursor = new SpoolCursor(options.spoolPath);
    this.#done = this.#run();
  }

  /** Resolves when everything is delivered after {@link complete}, or after disposal. Never rejects. */
  get done(): Promise<void> {
    return this.#done;
  }

  get status(): ForwarderStatus {
    return {
      isConnected: this.#sink !== undefined && !this.#sink.isClosed,
      failures: this.#backoff.failures,
      lastError: this.#trouble ?? this.#lastError,
    };
  }

  /** The container has ended and its log is whole: once all is delivered the forwarder is done. */
  complete(): void {
    this.#isComplete = true;
    this.#watch?.wake();
  }

  /** Stops at once. What is not delivered remains in the spool; a later forwarder goes on there. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#watch?.wake();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stop;
    try {
      while (!signal.aborted) {
        try {
          if (!this.#watch) await this.#locks.run(CURSOR, () => this.#open());
          return await this.#deliverAll();
        } catch (error) {
          // Too few descriptors, a full disk: as long as this goes on nothing of the spool may be deleted.
          if (!signal.aborted) await sleep(clock, this.#noteTrouble(error), signal);
        }
      }
    } finally {
      this.#sink?.close();
      this.#watch?.[Symbol.dispose]();
      await this.#save();
      await this.#locks.run(CURSOR, () => this.#cursor[Symbol.asyncDispose]());
    }
  }

  /** The spool or the place in it cannot be read now. Returns the pause in milliseconds. */
  #noteTrouble(error: unknown): number {
    const { driver, logger } = this.#options;
    this.#trouble = errorMessage(error);
    if (this.#troubles.failures === 0) {
      logger.error('log forwarding failed, will be tried again', { driver, error: this.#trouble });
    }
    return this.#troubles.fail();
  }

  #endTrouble(): void {
    if (this.#trouble === undefined) return;
    this.#options.logger.info('log forwarding goes on', { driver: this.#options.driver });
    this.#trouble = undefined;
    this.#troubles.succeed();
  }

  async #open(): Promise<void> {
    const { positionPath, spoolPath, clock, logger } = this.#options;
    const commit = await readCommit(positionPath, logger);
    this.#commit = commit;
    this.#saved = commit;
    this.#joiner = new MessageJoiner(commit?.pending);
    this.#cursor = new SpoolCursor(spoolPath, commit?.position);
    this.#watch = new SpoolWatch(spoolPath, clock);
  }

  async #deliverAll(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      // Asked before reading: what is read after the end is all.
      const isComplete = this.#isComplete;
      await this.#limitLag();
      if (this.#queue.isEmpty && !(await this.#fill())) {
        if (isComplete && !this.#flush()) return;
        if (!isComplete) await this.#idle();
      }
      this.#endTrouble();
      if (!this.#queue.isEmpty) await this.#deliver();
    }
  }

  /** Reads the next block into the queue. False: nothing new. */
  async #fill(): Promise<boolean> {
    return await this.#locks.run(CURSOR, async () => {
      const lines = await this.#cursor.read();
      if (this.#cursor.takeGap()) this.#pushLoss(0, true);
      for (const { line, next } of lines) this.#accept(line, next);
      return lines.length > 0;
    });
  }

  #accept(line: Buffer, position: SpoolCommit['position']): void {
    const entry = parseEntry(line);
    if (!entry) return;
    const messages = this.#joiner.push(entry);
    const commit = { position, pending: this.#joiner.pending };
    this.#queue.push(
      messages.map((message, index) => ({
        message,
        commit: index === messages.length - 1 ? commit : undefined,
      })),
    );
  }

  /** The unfinished lines of a container that has ended. False: there are none. */
  #flush(): boolean {
    const messages = this.#joiner.flush();
    const { position } = this.#cursor;
    const commit = position && { position, pending: {} };
    this.#queue.push(messages.map((message): QueuedMessage => ({ message, commit })));
    return messages.length > 0;
  }

  async #idle(): Promise<void> {
    await this.#save();
    await this.#watch?.wait();
  }

  async #deliver(): Promise<void> {
    const { clock, sink: settings, driver } = this.#options;
    const signal = this.#stop.signal;
    try {
      const sink = await this.#connected();
      if (!sink) return;
      const batch = this.#queue.takeBatch();
      const limitMs = settings.sendTimeoutMs ?? SEND_TIMEOUT_MS;
      const sending = withLimit(clock, limitMs, signal, `${driver} sink`, (limited) =>
        sink.send(batch, limited),
      );
      await this.#noteTaken(await this.#meanwhile(sending));
    } catch (error) {
      this.#queue.settle(0);
      this.#noteFailure(error);
    }
  }

  async #noteTaken(count: number): Promise<void> {
    const { clock, driver, logger } = this.#options;
    this.#commit = this.#queue.settle(count) ?? this.#commit;
    if (this.#lastError !== undefined) logger.info('log sink is back', { driver });
    this.#lastError = undefined;
    this.#backoff.succeed();
    if (clock.now() - this.#savedAtMs >= SAVE_EVERY_MS) await this.#save();
  }

  #noteFailure(error: unknown): void {
    if (this.#stop.signal.aborted) return;
    const { clock, driver, logger } = this.#options;
    this.#sink?.close();
    this.#sink = undefined;
    if (this.#lastError === undefined) {
      logger.warn('log sink does not take messages', { driver, error: errorMessage(error) });
    }
    this.#lastError = errorMessage(error);
    this.#retryAtMs = clock.now() + this.#backoff.fail();
    if (!this.#backoff.isExhausted) return;
    this.#queue.dropAll();
    this.#backoff.succeed();
  }

  /** The open connection, else a new one, after the pause that is due. Undefined when stopped meanwhile. */
  async #connected(): Promise<LogSink | undefined> {
    if (this.#sink && !this.#sink.isClosed) return this.#sink;
    this.#sink?.close();
    this.#sink = undefined;
    const { clock, driver, sink } = this.#options;
    const signal = this.#stop.signal;
    const pauseMs = this.#retryAtMs - clock.now();
    if (pauseMs > 0) await this.#meanwhile(sleep(clock, pauseMs, signal));
    if (signal.aborted) return undefined;
    const connecting = withLimit(clock, CONNECT_TIMEOUT_MS, signal, `${driver} sink`, (limited) =>
      connectOrClose(sink, limited),
    );
    this.#sink = await this.#meanwhile(connecting);
    return this.#sink;
  }

  /** Waits for `work`, and keeps the backlog within its limit until then. */
  async #meanwhile<T>(work: Promise<T>): Promise<T> {
    if (this.#options.maxLagBytes === undefined) return await work;
    let isOver = false;
    const over = new AbortController();
    const finish = (): void => {
      isOver = true;
      over.abort();
    };
    work.then(finish, finish);
    while (!isOver) {
      await sleep(this.#options.clock, MEASURE_EVERY_MS, over.signal);
      if (!isOver) await this.#limitLag();
    }
    return await work;
  }

  /** Non-blocking mode: drops the oldest lines of a backlog that is too long. */
  async #limitLag(): Promise<void> {
    const { maxLagBytes, clock } = this.#options;
    if (maxLagBytes === undefined || clock.now() - this.#measuredAtMs < MEASURE_EVERY_MS) return;
    await this.#locks.run(CURSOR, async () => {
      const lag = this.#queue.waitingBytes + (await this.#cursor.unread());
      const left = this.#queue.dropOldest(lag - maxLagBytes);
      if (left > 0) await this.#loseFrom((count) => this.#cursor.skip(left, count));
    });
    this.#measuredAtMs = clock.now();
  }

  /** Passes over lines of the spool and leaves one that says how many. */
  async #loseFrom(skip: (onLine: (line: Buffer) => void) => Promise<void>): Promise<void> {
    let lines = 0;
    await skip((line) => {
      if (parseEntry(line)?.isFull) lines += 1;
    });
    this.#joiner.reset();
    if (lines > 0) this.#pushLoss(lines, false);
  }

  #pushLoss(lines: number, isAtLeast: boolean): void {
    const { position } = this.#cursor;
    const loss: Loss = { lines, isAtLeast, commit: position && { position, pending: {} } };
    this.#queue.pushLoss(loss);
  }

  /**
   * Rotation wants to delete a file. What has been read may go. In blocking mode the rest is kept as long as the
   * whole spool stays below `maxSpoolBytes`; otherwise its lines are counted as lost.
   */
  async mayDelete(file: SpoolFile): Promise<boolean> {
    const { maxLagBytes, maxSpoolBytes, spoolPath } = this.#options;
    return await this.#locks.run(CURSOR, async () => {
      const progress = await this.#cursor.progressIn(file.path, file.isCompressed);
      if (progress === 'read') return true;
      const isKept = maxLagBytes === undefined && (await spoolDiskBytes(spoolPath)) <= maxSpoolBytes;
      if (isKept) return false;
      await this.#loseFrom((count) => this.#cursor.skipFile(count));
      return true;
    });
  }

  /** Writes down up to where all is delivered. A full disk costs duplicates after a restart, nothing else. */
  async #save(): Promise<void> {
    const { positionPath, logger, clock } = this.#options;
    const commit = this.#commit;
    this.#savedAtMs = clock.now();
    if (!commit || commit === this.#saved) return;
    try {
      await writeCommit(positionPath, commit);
      this.#saved = commit;
    } catch (error) {
      logger.warn('log position not saved', { path: positionPath, error: errorMessage(error) });
    }
  }
}

/** A connection that comes too late is closed. */
async function connectOrClose({ connect }: SinkSettings, signal: AbortSignal): Promise<LogSink> {
  const sink = await connect(signal);
  if (signal.aborted) sink.close();
  return sink;
}
