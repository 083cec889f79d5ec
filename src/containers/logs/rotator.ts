import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { errorMessage, type Logger } from '#base';
import type { Task } from '#runtime';
import { type SpoolGuard, type SpoolRotation, SpoolRotator } from '../log-drivers/index.ts';

/** Shortest time between two looks at the size, in milliseconds. */
const LOOK_EVERY_MS = 100;

export interface RotatorOptions extends SpoolRotation {
  readonly path: string;
  readonly task: Pick<Task, 'reopenLog'>;
  /** Who may still need the old files. */
  readonly guard?: () => SpoolGuard | undefined;
  readonly logger: Logger;
}

/**
 * Keeps a running container's log within its limits: renames the file and has the monitor open a new one. The
 * monitor goes on writing to the renamed file until then, so no output is lost.
 *
 * A log that grows is looked at ten times a second; one that rests is watched until the first write. So neither a
 * thousand quiet containers nor one that writes without end cost much.
 */
export class LogRotator implements AsyncDisposable {
  readonly #options: RotatorOptions;
  readonly #spool: SpoolRotator;
  #watcher: FSWatcher | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #closing = Promise.withResolvers<void>();
  #running: Promise<void> = Promise.resolve();
  #lastSize = -1;
  #isClosed = false;

  constructor(options: RotatorOptions) {
    this.#options = options;
    this.#spool = new SpoolRotator({ ...options, reopen: () => this.#reopen() });
    if (options.maxBytes !== undefined) this.#lookSoon();
  }

  #lookSoon(): void {
    if (this.#timer || this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#running = this.#running.then(() => this.#look());
    }, LOOK_EVERY_MS);
  }

  async #look(): Promise<void> {
    const before = this.#lastSize;
    try {
      if ((await this.#size()) === undefined && !(await this.#heal())) return;
      if (this.#watcher === undefined && (await this.#size()) === before) this.#watch();
      await this.rotateIfLarge();
    } catch (error) {
      this.#warn(error);
    }
    // What was written while the watch was set up would go unseen.
    if (this.#lastSize !== before || this.#watcher === undefined) this.#lookSoon();
  }

  /** Somebody has deleted the file: the monitor writes into nothing until it opens a new one. */
  async #heal(): Promise<boolean> {
    if (this.#isClosed) return false;
    await this.#reopen();
    return (await this.#size()) !== undefined;
  }

  /** A monitor that has just ended opens nothing any more: its end is not held up until that is certain. */
  async #reopen(): Promise<void> {
    const reopened = this.#options.task.reopenLog();
    reopened.catch(() => {});
    await Promise.race([reopened, this.#closing.promise]);
  }

  /** Until the next write. A watch stays with the file, not with its name, so none lasts over a rotation. */
  #watch(): void {
    const end = (): void => {
      this.#watcher?.close();
      this.#watcher = undefined;
      this.#lookSoon();
    };
    this.#watcher = watch(this.#options.path, end);
    this.#watcher.on('error', end);
  }

  /** Undefined: there is no file. */
  async #size(): Promise<number | undefined> {
    return (await stat(this.#options.path).catch(() => undefined))?.size;
  }

  /** Rotates when the file has reached its limit. */
  async rotateIfLarge(): Promise<boolean> {
    const { maxBytes } = this.#options;
    this.#lastSize = (await this.#size()) ?? 0;
    if (maxBytes === undefined || this.#lastSize < maxBytes || this.#isClosed) return false;
    await this.#spool.rotate();
    return true;
  }

  /** Resolves when replaced files have been compressed. */
  settle(): Promise<void> {
    return this.#spool.settle();
  }

  #warn(error: unknown): void {
    this.#options.logger.warn('log rotation failed', { error: errorMessage(error) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#closing.resolve();
    clearTimeout(this.#timer);
    this.#watcher?.close();
    await this.#running;
    await this.#spool[Symbol.asyncDispose]();
  }
}
