import type { RestartPolicy } from './model.ts';

/** A run this long counts as healthy: the delay begins anew. */
const RESET_AFTER_MS = 10_000;
const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 60_000;

/** How one run ended. */
export interface RunEnd {
  readonly exitCode: number;
  readonly manuallyStopped: boolean;
  readonly restartCount: number;
}

/** Docker's rule. Source: moby `daemon/internal/restartmanager`. */
export function shouldRestart(policy: RestartPolicy, end: RunEnd): boolean {
  switch (policy.name) {
    case 'no':
      return false;
    case 'always':
      return !end.manuallyStopped;
    case 'unless-stopped':
      return !end.manuallyStopped;
    case 'on-failure': {
      const { maximumRetryCount } = policy;
      const mayRetry = maximumRetryCount === 0 || end.restartCount < maximumRetryCount;
      return end.exitCode !== 0 && !end.manuallyStopped && mayRetry;
    }
  }
}

/** The growing delay before a restart: 100 ms, doubled each time up to a minute, anew after a run of ten seconds. */
export class RestartBackoff {
  #delayMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** The delay after a run that took `runMs`. */
  nextDelayMs(runMs: number): number {
    if (runMs >= RESET_AFTER_MS) this.#delayMs = 0;
    this.#delayMs = this.#delayMs === 0 ? FIRST_DELAY_MS : Math.min(this.#delayMs * 2, MAX_DELAY_MS);
    return this.#delayMs;
  }

  /** Replaces a restart that is still to come. */
  schedule(delayMs: number, restart: () => void): void {
    this.cancel();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      restart();
    }, delayMs);
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Forgets the delays so far: a user started the container. */
  reset(): void {
    this.cancel();
    this.#delayMs = 0;
  }
}
