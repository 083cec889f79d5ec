import { Semaphore } from './mutex.ts';

export interface MeasuredSizesOptions {
  /** Walks a tree and answers its bytes. */
  readonly measure: (key: string) => Promise<number>;
  /**
   * How long the size of something that is changing is good enough at most, in milliseconds. Default 10,000. What is
   * measured quickly is measured sooner again: after fifty times as long as it took.
   */
  readonly freshMs?: number;
  /** How long a caller waits for a new size when an older one is known, in milliseconds. Default 50. */
  readonly patienceMs?: number;
  /** How many are measured at the same time. Default 2. */
  readonly parallel?: number;
  /** Milliseconds of a clock that only goes forward. */
  readonly now?: () => number;
}

const MIN_FRESH_MS = 200;
const PAUSE_FACTOR = 50;

interface Known {
  readonly bytes: number;
  readonly measuredAtMs: number;
  /** How long that took. */
  readonly costMs: number;
  /** Nothing could change it while it was measured, nor has since. */
  readonly isFinal: boolean;
}

/** A measurement under way. Whoever forgets the key takes it out of the map: then nobody remembers what it finds. */
interface Running {
  readonly promise: Promise<number>;
  readonly meanwhile: Meanwhile;
}

interface Meanwhile {
  isTouched: boolean;
}

/**
 * Sizes of trees, remembered: what cannot change is measured once, what changes at most every `freshMs`; who asks for
 * it meanwhile gets the last size at once, or after a short wait. So `ps -s` and `system df` answer in milliseconds.
 */
export class MeasuredSizes {
  readonly #options: Required<MeasuredSizesOptions>;
  readonly #known = new Map<string, Known>();
  readonly #running = new Map<string, Running>();
  readonly #places: Semaphore;

  constructor(options: MeasuredSizesOptions) {
    this.#options = {
      freshMs: 10_000,
      patienceMs: 50,
      parallel: 2,
      now: () => performance.now(),
      ...options,
    };
    this.#places = new Semaphore(this.#options.parallel);
  }

  /** `isChanging`: somebody may write to it now. Rejects only when nothing is known and measuring fails. */
  async get(key: string, { isChanging }: { readonly isChanging: boolean }): Promise<number> {
    const known = this.#known.get(key);
    if (known && this.#isGoodEnough(known, isChanging)) return known.bytes;
    const measuring = this.#measure(key, isChanging);
    if (!known) return await measuring;
    const { promise: expired, resolve } = Promise.withResolvers<number>();
    const timer = setTimeout(resolve, this.#options.patienceMs, known.bytes);
    try {
      return await Promise.race([measuring.catch(() => known.bytes), expired]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** It has been written to, or is about to be. */
  touch(key: string): void {
    const known = this.#known.get(key);
    if (known) this.#known.set(key, { ...known, isFinal: false, measuredAtMs: Number.NEGATIVE_INFINITY });
    const running = this.#running.get(key);
    if (running) running.meanwhile.isTouched = true;
  }

  /** What has this key from now on is something else. */
  forget(key: string): void {
    this.#known.delete(key);
    this.#running.delete(key);
  }

  #isGoodEnough({ isFinal, measuredAtMs, costMs }: Known, isChanging: boolean): boolean {
    if (!isChanging) return isFinal;
    const { now, freshMs } = this.#options;
    return now() - measuredAtMs < Math.min(freshMs, Math.max(MIN_FRESH_MS, costMs * PAUSE_FACTOR));
  }

  /** One measurement of a key at a time; all who ask share it. */
  #measure(key: string, isChanging: boolean): Promise<number> {
    const running = this.#running.get(key);
    if (running) return running.promise;
    const meanwhile: Meanwhile = { isTouched: false };
    const promise = this.#places
      .run(() => this.#run(key, isChanging, meanwhile))
      .finally(() => this.#isCurrent(key, meanwhile) && this.#running.delete(key));
    // Everybody may have lost patience by the time it fails.
    promise.catch(() => {});
    this.#running.set(key, { promise, meanwhile });
    return promise;
  }

  #isCurrent(key: string, meanwhile: Meanwhile): boolean {
    return this.#running.get(key)?.meanwhile === meanwhile;
  }

  async #run(key: string, isChanging: boolean, meanwhile: Meanwhile): Promise<number> {
    meanwhile.isTouched = false;
    const startedMs = this.#options.now();
    const bytes = await this.#options.measure(key);
    const measuredAtMs = this.#options.now();
    if (!this.#isCurrent(key, meanwhile)) return bytes;
    // Touched meanwhile: what was measured is a moment in between.
    const isFinal = !isChanging && !meanwhile.isTouched;
    this.#known.set(key, { bytes, measuredAtMs, costMs: measuredAtMs - startedMs, isFinal });
    return bytes;
  }
}
