import { errorMessage, type Logger } from '#base';

/** Attempts until those who wait for a removal are told that it fails: about two seconds. */
export const PATIENCE = 5;
/** Attempts before a removal is left to the user and to the next start of the daemon: about ten minutes. */
const ATTEMPTS = 18;
const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 60_000;

export interface RemovalRetriesOptions {
  readonly logger: Logger;
  /** Milliseconds after which the attempt that follows `attempts` failed ones is made. Default: 100, doubled up to a minute. */
  readonly delayMs?: (attempts: number) => number;
}

export interface Retry {
  /** One more attempt after `attempts` failed ones. Answers why it failed, undefined when there is nothing left to remove. */
  attempt(attempts: number): Promise<Error | undefined>;
  /** The removal has failed {@link PATIENCE} times: whoever waits is to be told. */
  tell(failure: Error): void;
}

interface Pending {
  readonly abort: AbortController;
  /** Why the removal failed {@link PATIENCE} times, undefined when it has been done. */
  readonly told: Promise<Error | undefined>;
  readonly ended: Promise<void>;
}

/** Removals that failed and are tried again with growing delays, until they are done, given up or begun anew. */
export class RemovalRetries {
  readonly #logger: Logger;
  readonly #delayMs: (attempts: number) => number;
  readonly #pending = new Map<string, Pending>();
  #isClosed = false;

  constructor({ logger, delayMs = delayAfter }: RemovalRetriesOptions) {
    this.#logger = logger;
    this.#delayMs = delayMs;
  }

  /** The first attempt has failed. Replaces a series that was under way. */
  begin(id: string, failure: Error, retry: Retry): void {
    this.cancel(id);
    if (this.#isClosed) return;
    const abort = new AbortController();
    const { promise: told, resolve } = Promise.withResolvers<Error | undefined>();
    const series = this.#run(id, failure, retry, abort.signal, resolve);
    const ended = series.finally(() => {
      resolve(undefined);
      if (this.#pending.get(id)?.abort === abort) this.#pending.delete(id);
    });
    this.#pending.set(id, { abort, told, ended });
  }

  /** Whether another attempt will come by itself. */
  isPending(id: string): boolean {
    return this.#pending.has(id);
  }

  /** Waits until the removal is done (undefined) or patience with it has ended. */
  async outcome(id: string): Promise<Error | undefined> {
    for (;;) {
      const pending = this.#pending.get(id);
      const failure = await pending?.told;
      // Begun anew by somebody else: their outcome is this one's, too.
      if (failure || this.#pending.get(id) === pending || !this.#pending.has(id)) return failure;
    }
  }

  /** No more attempts: somebody else removes it, or it is gone. */
  cancel(id: string): void {
    this.#pending.get(id)?.abort.abort();
    this.#pending.delete(id);
  }

  /** The daemon ends. Waits for attempts under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const all = [...this.#pending.values()];
    for (const { abort } of all) abort.abort();
    await Promise.all(all.map(({ ended }) => ended));
  }

  async #run(
    id: string,
    first: Error,
    retry: Retry,
    signal: AbortSignal,
    resolve: (failure: Error) => void,
  ): Promise<void> {
    let failure: Error | undefined = first;
    for (let attempts = 1; failure; attempts += 1) {
      if (attempts === PATIENCE) {
        resolve(failure);
        retry.tell(failure);
      }
      const facts = { container: id, attempts, error: errorMessage(failure) };
      if (attempts === ATTEMPTS) {
        this.#logger.error(
          'removal given up: it stays dead until it is removed by hand or at a start',
          facts,
        );
        return;
      }
      const delayMs = this.#delayMs(attempts);
      this.#logger.warn('removal failed and is tried again', { ...facts, nextInMs: delayMs });
      if (!(await elapsed(delayMs, signal))) return;
      failure = await retry.attempt(attempts).catch((error: Error) => error);
    }
    this.#logger.info('removal done after all', { container: id });
  }
}

const delayAfter = (attempts: number): number => Math.min(FIRST_DELAY_MS * 2 ** (attempts - 1), MAX_DELAY_MS);

/** False when `signal` came first. */
function elapsed(delayMs: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const timer = setTimeout(() => finish(true), delayMs);
    const finish = (isOver: boolean): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      resolve(isOver);
    };
    const onAbort = () => finish(false);
    signal.addEventListener('abort', onAbort);
  });
}
