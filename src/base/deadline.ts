import { deadlineExceeded } from './errdefs.ts';

/**
 * Waits for `promise` at most `timeoutMs`; then throws `deadline_exceeded` with `what` in the message.
 * The work itself is not cancelled: pass it a signal as well where it can stop.
 */
export async function withDeadline<T>(promise: Promise<T>, timeoutMs: number, what: string): Promise<T> {
  const { promise: expired, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(deadlineExceeded(`${what}: no answer within ${timeoutMs} ms`)),
    timeoutMs,
  );
  try {
    return await Promise.race([promise, expired]);
  } finally {
    clearTimeout(timer);
    // The loser of the race must not become an unhandled rejection.
    promise.catch(() => {});
  }
}

/** Throws the signal's reason when it has been aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  signal?.throwIfAborted();
}
