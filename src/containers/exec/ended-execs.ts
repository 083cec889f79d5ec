/** How long an ended exec can be inspected. Source: moby removes them after one to two rounds of five minutes. */
const KEEP_MS = 5 * 60_000;
/** How many are kept at most: a container that is probed ten times a second must not fill the memory (R20). */
const KEEP_COUNT = 1000;

/** The execs that have ended and can still be inspected: a while, and a bounded number. */
export class EndedExecs {
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #onExpired: (execId: string) => void;

  /** `onExpired` is called once for each that is not to be kept any longer. */
  constructor(onExpired: (execId: string) => void) {
    this.#onExpired = onExpired;
  }

  get count(): number {
    return this.#timers.size;
  }

  keep(execId: string): void {
    const timer = setTimeout(() => this.#expire(execId), KEEP_MS);
    timer.unref();
    this.#timers.set(execId, timer);
    const [oldest] = this.#timers.keys();
    if (this.#timers.size > KEEP_COUNT && oldest !== undefined) this.#expire(oldest);
  }

  /** Somebody else has dropped it. */
  forget(execId: string): void {
    clearTimeout(this.#timers.get(execId));
    this.#timers.delete(execId);
  }

  close(): void {
    for (const execId of [...this.#timers.keys()]) this.forget(execId);
  }

  #expire(execId: string): void {
    this.forget(execId);
    this.#onExpired(execId);
  }
}
