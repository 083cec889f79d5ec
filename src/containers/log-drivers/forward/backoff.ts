import type { RetryPolicy } from '../types.ts';

const DEFAULT_FIRST_MS = 100;
const DEFAULT_FACTOR = 2;
const DEFAULT_MAX_MS = 30_000;
/** Each pause is up to this part shorter, so that not all containers come back to a returning sink at once. */
const JITTER = 0.25;

/** Counts failed attempts in a row and says how long to wait before the next one. */
export class Backoff {
  readonly #policy: RetryPolicy;
  readonly #random: () => number;
  #failures = 0;

  constructor(policy: RetryPolicy = {}, random: () => number = Math.random) {
    this.#policy = policy;
    this.#random = random;
  }

  get failures(): number {
    return this.#failures;
  }

  /** Whether the policy allows no further attempt. */
  get isExhausted(): boolean {
    return this.#failures >= (this.#policy.maxAttempts ?? Number.POSITIVE_INFINITY);
  }

  /** Notes a failure. Returns the pause in milliseconds. */
  fail(): number {
    const { firstMs = DEFAULT_FIRST_MS, factor = DEFAULT_FACTOR, maxMs = DEFAULT_MAX_MS } = this.#policy;
    const fullMs = Math.min(firstMs * factor ** this.#failures, maxMs);
    this.#failures += 1;
    return fullMs * (1 - JITTER * this.#random());
  }

  succeed(): void {
    this.#failures = 0;
  }
}
