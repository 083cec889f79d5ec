import { randomUUID } from 'node:crypto';
import { readdirSync, renameSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoCode, errorMessage, type Logger } from '#base';
import type { Mounts } from '#sys';

/**
 * Deletes directories in the background, one after the other: a rename takes them out of the way at once, and what a
 * crash interrupts is taken up by the next process.
 */
export class Trash {
  readonly #dir: string;
  readonly #mounts: Pick<Mounts, 'list' | 'unmount'>;
  readonly #logger: Logger;
  #tail: Promise<void> = Promise.resolve();

  constructor(dir: string, mounts: Pick<Mounts, 'list' | 'unmount'>, logger: Logger) {
    this.#dir = dir;
    this.#mounts = mounts;
    this.#logger = logger;
  }

  /** Takes away `path`; fine when it is not there. */
  discard(path: string): void {
    const target = join(this.#dir, randomUUID());
    try {
      renameSync(path, target);
    } catch (error) {
      if (errnoCode(error) === 'ENOENT') return;
      throw error;
    }
    this.#enqueue(target);
  }

  /** Takes up what an earlier process left. */
  resume(): void {
    for (const name of readdirSync(this.#dir)) this.#enqueue(join(this.#dir, name));
  }

  /** Waits until everything discarded so far is gone. */
  async settle(): Promise<void> {
    let seen: Promise<void> | undefined;
    while (seen !== this.#tail) {
      seen = this.#tail;
      await seen;
    }
  }

  #enqueue(path: string): void {
    this.#tail = this.#tail.then(() => this.#remove(path));
  }

  async #remove(path: string): Promise<void> {
    try {
      // A forgotten mount inside would have its content deleted, whatever it is.
      this.#unmountBelow(path);
      await rm(path, { recursive: true, force: true });
    } catch (error) {
      this.#logger.warn('cannot delete a removed layer or snapshot, will try again at the next start', {
        path,
        error: errorMessage(error),
      });
    }
  }

  #unmountBelow(path: string): void {
    const below = this.#mounts.list().filter(({ target }) => target.startsWith(`${path}/`));
    for (const { target } of below.reverse()) this.#mounts.unmount(target, { detach: true });
  }
}
