import { onSettled, systemClock } from '#base';

/** True when `promise` settled within `timeoutMs` (undefined: waits for ever). Rejects when it does. */
export async function settledWithin(
  promise: Promise<unknown>,
  timeoutMs: number | undefined,
): Promise<boolean> {
  if (timeoutMs === undefined) {
    await promise;
    return true;
  }
  const { promise: done, resolve } = Promise.withResolvers<boolean>();
  const cancel = systemClock.schedule(timeoutMs, () => resolve(false));
  using _ = onSettled(promise, () => resolve(true));
  const isSettled = await done;
  cancel();
  if (isSettled) await promise;
  return isSettled;
}
