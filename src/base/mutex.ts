/** A lock that somebody holds. Dispose it to release it. */
export interface HeldLock extends Disposable {
  /** Whether somebody else waits for it now. */
  isWanted(): boolean;
}

/**
 * Mutual exclusion per key among asynchronous callers, first come first served.
 *
 * Holders of different keys never wait for each other. Not reentrant: a holder that asks for its own
 * key again waits for ever.
 */
export class KeyedMutex {
  readonly #tails = new Map<string, Promise<void>>();

  /** Runs `action` while holding `key`; the lock is released whether it returns or throws. */
  async run<T>(key: string, action: () => Promise<T> | T): Promise<T> {
    using _held = await this.acquire(key);
    return await action();
  }

  /** Waits for `key`. */
  async acquire(key: string): Promise<HeldLock> {
    const before = this.#tails.get(key);
    const { promise, resolve } = Promise.withResolvers<void>();
    const tail = (before ?? Promise.resolve()).then(() => promise);
    this.#tails.set(key, tail);
    await before;
    let released = false;
    return {
      isWanted: () => this.#tails.get(key) !== tail,
      [Symbol.dispose]: () => {
        if (released) return;
        released = true;
        if (this.#tails.get(key) === tail) this.#tails.delete(key);
        resolve();
      },
    };
  }

  /** Whether somebody holds or waits for `key`. */
  isHeld(key: string): boolean {
    return this.#tails.has(key);
  }
}

/** Lets at most `limit` actions run at once, first come first served. */
export class Semaphore {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(limit: number) {
    this.#free = limit;
  }

  async run<T>(action: () => Promise<T> | T): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await action();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    }
  }
}
