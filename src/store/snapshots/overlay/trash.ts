import { randomUUID } from 'node:crypto';
import { readdirSync, renameSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoCode, errorMessage, type Logger } from '#base';
import type { MountInfo, Mounts } from '#sys';

/**
 * Deletes directories in the background, one after the other: a rename takes them out of the way at once, and what a
 * crash interrupts is taken up by the next process.
 */
export class Trash {
  readonly #dir: string;
  readonly #mounts: Pick<Mounts, 'list' | 'unmount'>;
  readonly #logger: Logger;
  #queue: string[] = [];
  #running: Promise<void> | undefined;

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

  /** Waits until everything discarded so far, and what is added meanwhile, is gone. */
  async settle(): Promise<void> {
    await this.#running;
  }

  #enqueue(path: string): void {
    this.#queue.push(path);
    this.#running ??= this.#drain().finally(() => {
      this.#running = undefined;
    });
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0);
      for (const path of this.#freeOfMounts(batch)) await this.#remove(path);
    }
  }

  async #remove(path: string): Promise<void> {
    try {
      await rm(path, { recursive: true, force: true });
    } catch (error) {
      this.#warn(path, error);
    }
  }

  /**
   * A forgotten mount inside would have its content deleted, whatever it is: a tree that cannot be freed of them is left for the
   * next start. Looked up once for all, because the mount table is long where many containers run.
   */
  #freeOfMounts(batch: string[]): string[] {
    let below: MountInfo[];
    try {
      below = this.#mounts.list().filter(({ target }) => target.startsWith(`${this.#dir}/`));
    } catch (error) {
      for (const path of batch) this.#warn(path, error);
      return [];
    }
    for (const { target } of below.reverse()) {
      try {
        this.#mounts.unmount(target, { detach: true });
      } catch (error) {
        const index = batch.findIndex((path) => target === path || target.startsWith(`${path}/`));
        if (index >= 0) this.#warn(batch.splice(index, 1)[0] ?? target, error);
      }
    }
    return batch;
  }

  #warn(path: string, error: unknown): void {
    this.#logger.warn('cannot delete a removed layer or snapshot, will try again at the next start', {
      path,
      error: errorMessage(error),
    });
  }
}
