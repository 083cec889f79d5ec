import { canceled } from '#base';

/** A signal's end of a request. */
export const requestCanceled = (signal: AbortSignal | undefined, cause: unknown = signal?.reason) =>
  canceled('request canceled', { cause });

/**
 * What `promise` answers, unless `signal` fires first. Whatever the promise does then is nobody's business any more.
 * @throws `canceled`, also for a signal that has fired before.
 */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return await promise;
  promise.catch(() => {});
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(requestCanceled(signal));
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([aborted, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
