import { describe, expect, test } from 'bun:test';
import { runForTest } from '../testing/index.ts';

/** A source that delivers `signal` once, to all that listen, when `now` is called. */
function source(signal: string) {
  const listeners = new Set<(signal: string) => void>();
  return {
    now: () => {
      for (const listener of listeners) listener(signal);
    },
    signals: {
      on: (wanted: readonly string[], listener: (signal: string) => void) => {
        if (wanted.includes(signal)) listeners.add(listener);
        return { [Symbol.dispose]: () => void listeners.delete(listener) };
      },
    },
  };
}

async function* endless(onRead: () => void): AsyncIterableIterator<never> {
  onRead();
  await new Promise<never>(() => {});
}

describe.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
])('%s', (signal, exitCode) => {
  test('ends events', async () => {
    const { signals, now } = source(signal);
    const system = { events: async () => endless(now) };
    expect(await runForTest(['events'], { calls: { system }, signals })).toEqual({
      exitCode,
      stdout: '',
      stderr: '',
    });
  });

  test('ends stats', async () => {
    const { signals, now } = source(signal);
    const containers = { stats: async () => endless(now) };
    const run = await runForTest(['stats', 'a'], { calls: { containers }, signals });
    expect([run.exitCode, run.stderr]).toEqual([exitCode, '']);
  });

  test('ends wait', async () => {
    const { signals, now } = source(signal);
    const exit = new Promise<never>(() => {});
    const wait = async () => {
      setImmediate(now);
      return { exit };
    };
    const run = await runForTest(['wait', 'a'], { calls: { containers: { wait } }, signals });
    expect([run.exitCode, run.stdout]).toEqual([exitCode, '']);
  });

  test('is left to a command that is elsewhere', async () => {
    const { signals, now } = source(signal);
    queueMicrotask(now);
    expect((await runForTest(['daemon', '--fail'], { signals })).exitCode).toBe(7);
  });
});
