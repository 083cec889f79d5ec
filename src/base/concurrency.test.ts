import { describe, expect, test } from 'bun:test';
import { withDeadline } from './deadline.ts';
import { errorCode, errorMessage } from './errdefs.ts';
import { KeyedMutex, Semaphore } from './mutex.ts';

describe('KeyedMutex', () => {
  test('`run`: one at a time and in order for one key, independent across keys', async () => {
    const mutex = new KeyedMutex();
    const order: string[] = [];
    const gate = Promise.withResolvers<void>();
    const first = mutex.run('a', async () => {
      await gate.promise;
      order.push('a1');
    });
    const second = mutex.run('a', () => void order.push('a2'));
    await mutex.run('b', () => void order.push('b'));
    expect(order).toEqual(['b']);
    gate.resolve();
    await Promise.all([first, second]);
    expect(order).toEqual(['b', 'a1', 'a2']);
    expect(mutex.isHeld('a')).toBe(false);
  });

  test('a holder sees whether somebody waits behind it', async () => {
    const mutex = new KeyedMutex();
    const held = await mutex.acquire('a');
    expect(held.isWanted()).toBe(false);
    const next = mutex.acquire('a');
    expect(held.isWanted()).toBe(true);
    held[Symbol.dispose]();
    using last = await next;
    expect(last.isWanted()).toBe(false);
  });

  test('`run`: a failing holder releases the key and keeps its error', async () => {
    const mutex = new KeyedMutex();
    await expect(mutex.run('a', () => Promise.reject(new Error('boom')))).rejects.toThrow('boom');
    expect(await mutex.run('a', () => 1)).toBe(1);
  });
});

test('`Semaphore`: never more than the limit at once, all get their turn', async () => {
  const semaphore = new Semaphore(2);
  let running = 0;
  let peak = 0;
  const work = async () => {
    running += 1;
    peak = Math.max(peak, running);
    await Promise.resolve();
    running -= 1;
  };
  await Promise.all(Array.from({ length: 10 }, () => semaphore.run(work)));
  expect(peak).toBe(2);
});

describe('withDeadline', () => {
  test('answers in time, and keeps errors', async () => {
    expect(await withDeadline(Promise.resolve(7), 1000, 'x')).toBe(7);
    await expect(withDeadline(Promise.reject(new Error('boom')), 1000, 'x')).rejects.toThrow('boom');
  });

  test('throws deadline_exceeded when nothing comes', async () => {
    const failed = await withDeadline(new Promise(() => {}), 1, 'asking the oracle').catch((error) => error);
    expect(errorCode(failed)).toBe('deadline_exceeded');
    expect(errorMessage(failed)).toBe('asking the oracle: no answer within 1 ms');
  });
});
