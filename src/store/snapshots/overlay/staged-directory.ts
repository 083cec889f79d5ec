import { closeSync, openSync } from 'node:fs';
import type { StagedLayer } from '../../types.ts';
import type { ApplyResult } from '../apply/apply-archive.ts';
import { Growth } from '../apply/growing-file.ts';
import type { ApplyPool } from '../apply/worker-pool.ts';
import { filesOf } from './layout.ts';
import type { Trash } from './trash.ts';

export interface StagedDirectoryOptions {
  /** An empty staging directory. */
  readonly directory: string;
  readonly blobPath: string;
  readonly pool: ApplyPool;
  readonly trash: Trash;
}

/** A {@link StagedLayer} that a Worker unpacks into a directory of the staging area. */
export class StagedDirectory implements StagedLayer {
  readonly #directory: string;
  readonly #growth: Growth;
  readonly #abort: AbortController;
  readonly #result: Promise<ApplyResult>;
  readonly #trash: Trash;
  #isOver = false;

  private constructor(
    options: StagedDirectoryOptions,
    growth: Growth,
    abort: AbortController,
    result: Promise<ApplyResult>,
  ) {
    this.#directory = options.directory;
    this.#trash = options.trash;
    this.#growth = growth;
    this.#abort = abort;
    this.#result = result;
    // Who claims it hears of a failure; until then nobody waits for it.
    result.catch(() => {});
  }

  /** Undefined when no Worker is free for it. */
  static start(options: StagedDirectoryOptions): StagedDirectory | undefined {
    const growth = new Growth();
    const abort = new AbortController();
    // Opened now, because the writer may rename the file before the Worker gets to it.
    const fd = openSync(options.blobPath, 'r');
    const job = {
      blobPath: `/proc/self/fd/${fd}`,
      targetDir: filesOf(options.directory),
      parentDirs: [],
      growth: growth.shared,
    };
    const result = options.pool.tryRunAside(job, abort.signal)?.finally(() => closeSync(fd));
    if (result === undefined) closeSync(fd);
    return result && new StagedDirectory(options, growth, abort, result);
  }

  grown(bytes: number): void {
    this.#growth.grown(bytes);
  }

  complete(): void {
    this.#growth.complete();
  }

  /** Hands directory and result over; only once, and not after `abandon`. */
  claim(): { readonly directory: string; readonly result: Promise<ApplyResult> } | undefined {
    if (this.#isOver) return undefined;
    this.#isOver = true;
    return { directory: this.#directory, result: this.#result };
  }

  async abandon(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#abort.abort();
    this.#growth.abandon();
    // The Worker has to let go of the directory first.
    await this.#result.catch(() => {});
    this.#trash.discard(this.#directory);
  }
}
