/**
 * As Promise.all, but it waits for every one also when one fails: what is still being made could not be undone. @throws the
 * failure that stands first in the list.
 */
export async function settleAll(promises: readonly unknown[]): Promise<void> {
  const failed = (await Promise.allSettled(promises)).find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}

const listenersOf = new WeakMap<Promise<unknown>, Set<() => void>>();

/**
 * Calls `listener` once `promise` has settled, either way, unless disposed before. What `then` and `Promise.race` add to a
 * promise stays on it until it settles: on one that lives as long as a container, every client would leave something
 * behind. Here nothing stays.
 */
export function onSettled(promise: Promise<unknown>, listener: () => void): Disposable {
  const listeners = listenersOf.get(promise) ?? watch(promise);
  // Its own function, so that the same listener may be added twice.
  const entry = () => listener();
  listeners.add(entry);
  return { [Symbol.dispose]: () => void listeners.delete(entry) };
}

function watch(promise: Promise<unknown>): Set<() => void> {
  const listeners = new Set<() => void>();
  const settled = () => {
    listenersOf.delete(promise);
    for (const listener of listeners) listener();
    listeners.clear();
  };
  listenersOf.set(promise, listeners);
  promise.then(settled, settled);
  return listeners;
}
