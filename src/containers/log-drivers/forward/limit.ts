import { type Clock, deadlineExceeded } from '#base';

/**
 * Runs `action` for at most `limitMs`; its signal aborts then, or with `parent`. Rejects at once in both cases,
 * whether the action heeds its signal or not: what does not answer is left behind.
 * @throws `deadline_exceeded`, or the parent's reason.
 */
export async function withLimit<T>(
  clock: Clock,
  limitMs: number,
  parent: AbortSignal,
  what: string,
  action: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  parent.throwIfAborted();
  const abort = new AbortController();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = (reason: unknown): void => {
    abort.abort(reason);
    reject(reason);
  };
  const onParent = (): void => stop(parent.reason);
  parent.addEventListener('abort', onParent);
  const cancel = clock.schedule(limitMs, () =>
    stop(deadlineExceeded(`${what}: no answer within ${limitMs} ms`)),
  );
  const done = action(abort.signal);
  // Whoever loses the race must not become an unhandled rejection.
  done.catch(() => {});
  aborted.catch(() => {});
  try {
    return await Promise.race([done, aborted]);
  } finally {
    cancel();
    parent.removeEventListener('abort', onParent);
  }
}
