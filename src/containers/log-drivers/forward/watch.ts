import { type Clock, sleep } from '#base';
import { ChangeWaiter } from '../../logs/wake.ts';

/** How long a change may go unnoticed when the kernel's queue of events has overflowed. */
const LOOK_EVERY_MS = 30_000;
/** The same when there is no watch at all. */
const LOOK_UNWATCHED_MS = 1_000;

/** Waits for news of a spool. */
export class SpoolWatch implements Disposable {
  readonly #clock: Clock;
  readonly #changes: ChangeWaiter | undefined;
  #isWoken = false;
  #over = new AbortController();

  constructor(spoolPath: string, clock: Clock) {
    this.#clock = clock;
    this.#changes = tryWatch(spoolPath);
  }

  /** Ends the present or the next wait. */
  wake(): void {
    this.#isWoken = true;
    this.#over.abort();
  }

  /** Resolves when something may have changed. */
  async wait(): Promise<void> {
    this.#over = new AbortController();
    if (this.#isWoken) this.#over.abort();
    const lookMs = this.#changes ? LOOK_EVERY_MS : LOOK_UNWATCHED_MS;
    const quiet = sleep(this.#clock, lookMs, this.#over.signal);
    await Promise.race(this.#changes ? [quiet, this.#changes.wait()] : [quiet]);
    this.#over.abort();
    this.#isWoken = false;
  }

  [Symbol.dispose](): void {
    this.#changes?.[Symbol.dispose]();
  }
}

/** Without a watch (limit of inotify, directory gone) looking now and then must do. */
function tryWatch(spoolPath: string): ChangeWaiter | undefined {
  try {
    return new ChangeWaiter(spoolPath);
  } catch {
    return undefined;
  }
}
