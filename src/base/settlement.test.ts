import { expect, test } from 'bun:test';
import { onSettled, settleAll } from './settlement.ts';

test('`onSettled`: every listener is called once, whether the promise resolves or rejects', async () => {
  const calls: string[] = [];
  const { promise: good, resolve } = Promise.withResolvers<void>();
  const { promise: bad, reject } = Promise.withResolvers<void>();
  onSettled(good, () => calls.push('first'));
  onSettled(good, () => calls.push('second'));
  onSettled(bad, () => calls.push('rejected'));
  resolve();
  reject(new Error('no'));
  await Promise.allSettled([good, bad]);
  await Promise.resolve();
  expect(calls).toEqual(['first', 'second', 'rejected']);
});

test('`onSettled`: on a promise that has settled long ago', async () => {
  const done = Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  onSettled(done, resolve);
  await promise;
  const { promise: again, resolve: resolveAgain } = Promise.withResolvers<void>();
  onSettled(done, resolveAgain);
  await again;
});

test('`onSettled`: not after it was disposed, and nothing is left of it', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let calls = 0;
  const clients = Array.from({ length: 1000 }, () => {
    const client = { name: 'client' };
    using _ = onSettled(promise, () => {
      calls += client.name.length;
    });
    return new WeakRef(client);
  });
  // What a weak reference was made of lives to the end of the turn.
  await new Promise((next) => setImmediate(next));
  Bun.gc(true);
  expect(clients.filter((client) => client.deref()).length).toBeLessThan(100);
  resolve();
  await promise;
  await Promise.resolve();
  expect(calls).toBe(0);
});

test('`settleAll`: waits for all, then throws what failed first in the list', async () => {
  const { promise: last, resolve } = Promise.withResolvers<void>();
  const { promise: first, reject } = Promise.withResolvers<void>();
  let isSettled = false;
  const all = settleAll([first, undefined, Promise.reject(new Error('second')), last]).finally(() => {
    isSettled = true;
  });
  reject(new Error('first'));
  await new Promise((next) => setImmediate(next));
  expect(isSettled).toBe(false);
  resolve();
  await expect(all).rejects.toThrow('first');
});

test('`settleAll`: nothing to wait for, nothing that fails', async () => {
  await settleAll([]);
  await settleAll([Promise.resolve(1), undefined]);
});
