/** True when `promise` settled within `timeoutMs` (undefined: waits for ever). Rejects when it does. */
export async function settledWithin(
  promise: Promise<unknown>,
  timeoutMs: number | undefined,
): Promise<boolean> {
  if (timeoutMs === undefined) {
    await promise;
    return true;
  }
  const { promise: expired, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), timeoutMs);
  try {
    return await Promise.race([promise.then(() => true), expired]);
  } finally {
    clearTimeout(timer);
  }
}
