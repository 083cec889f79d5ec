import { uploadStalled } from './errors.ts';

export interface GivingWayOptions {
  /** Ends it at once, with its reason. */
  readonly signal: AbortSignal;
  /** Whether somebody waits for what is held during the transfer. */
  readonly isWanted: () => boolean;
  /** A client that sends nothing for so long is given up as soon as somebody waits. Default 10 s. */
  readonly idleMs?: number;
  /** How often that is looked at. Default 1 s. */
  readonly checkMs?: number;
}

const IDLE_MS = 10_000;
const CHECK_MS = 1_000;

/**
 * What a client sends while a lock is held for it. It may be as slow as it likes while nobody else wants the lock.
 * @throws `deadline_exceeded` when it is silent and somebody does; the signal's reason.
 */
export async function* givingWay(
  chunks: AsyncIterable<Uint8Array>,
  { signal, isWanted, idleMs = IDLE_MS, checkMs = CHECK_MS }: GivingWayOptions,
): AsyncGenerator<Uint8Array> {
  signal.throwIfAborted();
  const source = chunks[Symbol.asyncIterator]();
  let silentSince = performance.now();
  let fail: (reason: unknown) => void = () => {};
  const abort = (): void => fail(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  const timer = setInterval(() => {
    if (isWanted() && performance.now() - silentSince >= idleMs) fail(uploadStalled(idleMs));
  }, checkMs);
  try {
    for (;;) {
      silentSince = performance.now();
      // A promise for each chunk: a race would leave something on one that lives as long as the transfer.
      const next = await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
        fail = reject;
        source.next().then(resolve, reject);
      });
      if (next.done) return;
      yield next.value;
      signal.throwIfAborted();
    }
  } finally {
    clearInterval(timer);
    signal.removeEventListener('abort', abort);
    // Not awaited: a source that is waiting for its client ends with the request.
    void source.return?.().catch(() => {});
  }
}
