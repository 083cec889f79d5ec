import { type FSWatcher, watch } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { errorMessage, type Logger } from '#base';
import type { Task } from '#runtime';
import type { LogRotation } from '../create/log-config.ts';
import { rotatedName } from './files.ts';

/** Shortest time between two looks at the size, in milliseconds. */
const LOOK_EVERY_MS = 100;

export interface RotatorOptions extends LogRotation {
  readonly path: string;
  readonly task: Pick<Task, 'reopenLog'>;
  readonly logger: Logger;
}

/**
 * Keeps a running container's log within its limits: renames the file and has the monitor open a new one. The
 * monitor goes on writing to the renamed file until then, so no output is lost.
 */
export class LogRotator implements AsyncDisposable {
  readonly #options: RotatorOptions;
  #watcher: FSWatcher | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: RotatorOptions) {
    this.#options = options;
    if (options.maxBytes === undefined) return;
    this.#watch();
    this.#lookSoon();
  }

  /** A watch stays with the file, not with its name: after each rotation a new one is needed. */
  #watch(): void {
    this.#watcher?.close();
    this.#watcher = watch(this.#options.path, () => this.#lookSoon());
    this.#watcher.on('error', (error) => this.#warn(error));
  }

  #lookSoon(): void {
    if (this.#timer || this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#running = this.#running.then(() => this.#rotateQuietly());
    }, LOOK_EVERY_MS);
  }

  async #rotateQuietly(): Promise<void> {
    try {
      await this.rotateIfLarge();
    } catch (error) {
      this.#warn(error);
    }
  }

  /** Rotates when the file has reached its limit. */
  async rotateIfLarge(): Promise<boolean> {
    const { path, maxBytes } = this.#options;
    const size = await stat(path).then(
      (file) => file.size,
      () => 0,
    );
    if (maxBytes === undefined || size < maxBytes || this.#isClosed) return false;
    await this.#rotate();
    return true;
  }

  async #rotate(): Promise<void> {
    const { path, maxFiles, task } = this.#options;
    const oldest = Math.max(maxFiles - 1, 1);
    await rm(rotatedName(path, oldest), { force: true });
    for (let number = oldest - 1; number >= 1; number -= 1) {
      await rename(rotatedName(path, number), rotatedName(path, number + 1)).catch(() => {});
    }
    await rename(path, rotatedName(path, 1));
    await task.reopenLog();
    if (!this.#isClosed) this.#watch();
    if (maxFiles === 1) await rm(rotatedName(path, 1), { force: true });
  }

  #warn(error: unknown): void {
    this.#options.logger.warn('log rotation failed', { error: errorMessage(error) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#watcher?.close();
    await this.#running;
  }
}
