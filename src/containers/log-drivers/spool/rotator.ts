import { rename, rm } from 'node:fs/promises';
import { errnoCode, errorMessage, type Logger } from '#base';
import type { SpoolRotation } from '../rotation.ts';
import { compressSpool } from './compress.ts';
import { listSpool, type SpoolFile, spoolFileName } from './files.ts';

/** Has a say in what rotation deletes. */
export interface SpoolGuard {
  /**
   * Asked before a file is deleted, oldest first. False keeps it and all newer ones, beyond `maxFiles`. True accounts
   * for what is lost with it.
   */
  mayDelete(file: SpoolFile): Promise<boolean>;
}

export interface SpoolRotatorOptions extends Pick<SpoolRotation, 'maxFiles' | 'compress'> {
  readonly path: string;
  /** Has the writer go on in a new file at `path`. Resolves when it has. */
  readonly reopen: () => Promise<void>;
  /** Looked up at each rotation. Undefined: nobody needs the old files. */
  readonly guard?: () => SpoolGuard | undefined;
  readonly logger: Logger;
}

/**
 * Rotates one spool: `log` becomes `log.1`, `log.1` becomes `log.2`, … and what is too old goes. Compression follows in
 * the background; a rotation waits for the end of the former one's. After a crash at any point the next rotation puts
 * things right: a gap in the numbers does no harm, plain files are compressed later, unfinished ones overwritten.
 */
export class SpoolRotator implements AsyncDisposable {
  readonly #options: SpoolRotatorOptions;
  readonly #close = new AbortController();
  #compressing: Promise<void> = Promise.resolve();

  constructor(options: SpoolRotatorOptions) {
    this.#options = options;
  }

  /** Resolves when the writer uses the new file. One call at a time. */
  async rotate(): Promise<void> {
    const { path, maxFiles, reopen, compress } = this.#options;
    await this.#compressing;
    await this.#deleteDownTo(maxFiles - 1);
    await this.#shift();
    await rename(path, spoolFileName(path, 1, false));
    await reopen();
    if (maxFiles === 1) await this.#deleteDownTo(1);
    else if (compress) this.#compressing = this.#compress();
  }

  /** Resolves when the compression that a rotation has started is over. */
  async settle(): Promise<void> {
    await this.#compressing;
  }

  /** Deletes the oldest files until only those with numbers below `limit` are left; the current one stays. */
  async #deleteDownTo(limit: number): Promise<void> {
    const { path, guard } = this.#options;
    const old = (await listSpool(path)).filter(({ number }) => number > 0 && number >= limit);
    for (const file of old.reverse()) {
      const mayDelete = (await guard?.()?.mayDelete(file)) ?? true;
      if (!mayDelete) return;
      // Both, in case a crash left both.
      await rm(spoolFileName(path, file.number, false), { force: true });
      await rm(spoolFileName(path, file.number, true), { force: true });
    }
  }

  async #shift(): Promise<void> {
    const { path } = this.#options;
    const files = (await listSpool(path)).filter(({ number }) => number > 0);
    for (const { number, isCompressed } of files.reverse()) {
      const stale = spoolFileName(path, number + 1, !isCompressed);
      await rename(
        spoolFileName(path, number, isCompressed),
        spoolFileName(path, number + 1, isCompressed),
      ).catch(ignoreMissing);
      // A leftover of the other kind would be taken for this file.
      await rm(stale, { force: true });
    }
  }

  async #compress(): Promise<void> {
    const { path, logger } = this.#options;
    try {
      await compressSpool(path, this.#close.signal);
    } catch (error) {
      if (this.#close.signal.aborted) return;
      logger.warn('log not compressed', { path, error: errorMessage(error) });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close.abort();
    await this.#compressing;
  }
}

function ignoreMissing(error: unknown): void {
  if (errnoCode(error) !== 'ENOENT') throw error;
}
