import { expect, test } from 'bun:test';
import type { Nftables, RulesMonitor } from '#sys';
import { RulesWatcher, type RulesWatcherOptions } from './rules-watcher.ts';

/** A watcher of the table `t` whose monitors can be closed by the kernel and fail to open. */
function scene() {
  const told: string[] = [];
  const reopened = Promise.withResolvers<void>();
  const handlers: { readonly close?: () => void }[] = [];
  let failures = 0;
  const refusals: Error[] = [];
  let open = 0;
  const openMonitor = (): RulesMonitor => {
    open += 1;
    return {
      fd: 7,
      read: () => ({ transactions: [], isComplete: true }),
      decode: () => ({ transactions: [], isComplete: true }),
      [Symbol.dispose]: () => {
        open -= 1;
      },
    };
  };
  const watcher = new RulesWatcher({
    openMonitor: () => {
      if (failures === 0) return openMonitor();
      failures -= 1;
      throw new Error('EMFILE');
    },
    nftables: () => ({ query: () => [] }) as unknown as Nftables,
    onDamaged: () => told.push('damaged'),
    onLost: (reason) => told.push(`lost: ${reason}`),
    retryMs: 1,
    connect: (async (_fd, socket) => {
      const refusal = refusals.pop();
      if (refusal) throw refusal;
      handlers.push(socket as { close?: () => void });
      if (handlers.length > 1) reopened.resolve();
      return {
        unref() {},
        terminate: () => {
          open -= 1;
        },
      };
    }) as RulesWatcherOptions['connect'] & {},
  });
  /** The queue ran over. */
  const overrun = (failing: number): void => {
    failures = failing;
    // The event loop has closed the descriptor.
    open -= 1;
    handlers.at(-1)?.close?.();
  };
  return {
    ...{ watcher, told, overrun, handlers, refusals, reopened: reopened.promise },
    /** Descriptors that are held. */
    open: () => open,
  };
}

test('a queue that runs over begins the watch anew and asks for the rules', async () => {
  const { watcher, told, overrun, handlers, reopened } = scene();
  await watcher.watch({ table: 't', intervalMs: 0 });
  overrun(0);
  await reopened;
  await Bun.sleep(0);
  expect([told, handlers.length]).toEqual([['damaged'], 2]);
  await watcher.watch(undefined);
});

test('a watch that cannot begin anew is told of once and tried until it can', async () => {
  const { watcher, told, overrun, handlers, reopened } = scene();
  await watcher.watch({ table: 't', intervalMs: 0 });
  overrun(3);
  let ran = 0;
  watcher.change(() => {
    ran += 1;
  });
  expect(ran).toBe(1);
  await reopened;
  await Bun.sleep(0);
  expect(told).toEqual(['lost: EMFILE', 'damaged', 'damaged']);
  expect(handlers).toHaveLength(2);
  await watcher.watch(undefined);
});

test('the timer goes on meanwhile', async () => {
  const { watcher, told, overrun } = scene();
  await watcher.watch({ table: 't', intervalMs: 1 });
  overrun(Number.POSITIVE_INFINITY);
  told.length = 0;
  // Nobody has the table: each look finds that.
  while (told.length < 3) await Bun.sleep(1);
  await watcher.watch(undefined);
  expect(new Set(told)).toEqual(new Set(['damaged']));
});

test('a watch that has ended is not begun anew', async () => {
  const { watcher, told, overrun, handlers } = scene();
  await watcher.watch({ table: 't', intervalMs: 0 });
  overrun(1);
  await watcher.watch(undefined);
  await Bun.sleep(5);
  expect(handlers).toHaveLength(1);
  expect(told).toEqual(['lost: EMFILE', 'damaged']);
});

test('what cannot be read by the event loop is closed, and the watch tried again', async () => {
  const { watcher, told, overrun, refusals, open, reopened } = scene();
  await watcher.watch({ table: 't', intervalMs: 0 });
  refusals.push(new Error('ENOSPC'), new Error('ENOSPC'));
  overrun(0);
  await reopened;
  await Bun.sleep(0);
  expect(told).toEqual(['lost: ENOSPC', 'damaged', 'damaged']);
  expect(open()).toBe(1);
  await watcher.watch(undefined);
  expect(open()).toBe(0);
});

test('a watch that cannot begin leaves nothing open, and no timer', async () => {
  const { watcher, told, refusals, open } = scene();
  refusals.push(new Error('ENOSPC'));
  await expect(watcher.watch({ table: 't', intervalMs: 1 })).rejects.toThrow('ENOSPC');
  expect(open()).toBe(0);
  let ran = 0;
  watcher.change(() => {
    ran += 1;
  });
  await Bun.sleep(5);
  expect([ran, told]).toEqual([1, []]);
});
