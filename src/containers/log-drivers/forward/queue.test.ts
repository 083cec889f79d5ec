import { describe, expect, test } from 'bun:test';
import { silentLogger, systemClock } from '#base';
import { createManualClock } from '#base/testing';
import type { LogMessage } from '../types.ts';
import { Backoff } from './backoff.ts';
import { Forwarders } from './forwarders.ts';
import { withLimit } from './limit.ts';
import { lossText, MessageQueue, type QueuedMessage } from './queue.ts';

const commit = (offset: number) => ({ position: { file: 'f', offset }, pending: {} });
const item = (text: string, offset: number, partial?: LogMessage['partial']): QueuedMessage => ({
  message: { stream: 'stdout', time: 't', line: Buffer.from(text), ...(partial ? { partial } : {}) },
  commit: commit(offset),
});
function queueOf(...texts: string[]): MessageQueue {
  const queue = new MessageQueue(() => 0);
  queue.push(texts.map((text, index) => item(text, index + 1)));
  return queue;
}
const batch = (queue: MessageQueue) => queue.takeBatch().map(({ line }) => line.toString());
const LOST = (count: number) => lossText(count, false);

describe('MessageQueue', () => {
  test('a batch remains until it is taken, in part or whole', () => {
    const queue = queueOf('a', 'b', 'c');
    expect(batch(queue)).toEqual(['a', 'b', 'c']);
    expect(queue.settle(0)).toBeUndefined();
    expect(batch(queue)).toEqual(['a', 'b', 'c']);
    expect(queue.settle(2)).toEqual(commit(2));
    expect(batch(queue)).toEqual(['c']);
    expect(queue.settle(1)).toEqual(commit(3));
    expect(queue.isEmpty).toBe(true);
  });

  test('batches are bounded by count and bytes, but never empty', () => {
    expect(batch(queueOf(...new Array(1000).fill('x')))).toHaveLength(256);
    expect(batch(queueOf('x'.repeat(200_000), 'y'))).toHaveLength(1);
    expect(batch(queueOf('x'.repeat(40_000), 'y'.repeat(40_000)))).toHaveLength(1);
  });

  test('an uncommitted piece keeps the place of what is before it', () => {
    const queue = queueOf('a');
    queue.push([{ ...item('b', 2), commit: undefined }]);
    queue.takeBatch();
    expect(queue.settle(2)).toEqual(commit(1));
  });

  test('dropping takes the oldest, as few as needed, and leaves one line in their place', () => {
    const queue = queueOf('aaaa', 'bbbb', 'cccc');
    expect(queue.dropOldest(6)).toBe(-4);
    expect(batch(queue)).toEqual([LOST(2), 'cccc']);
    expect(queue.settle(1)).toEqual(commit(2));
  });

  test('what is in flight is not dropped, and losses side by side are one', () => {
    const queue = queueOf('a', 'b');
    queue.takeBatch();
    queue.push([item('c', 3), item('d', 4)]);
    expect(queue.dropOldest(1)).toBeLessThanOrEqual(0);
    expect(queue.dropOldest(100)).toBe(98);
    queue.pushLoss({ lines: 10, isAtLeast: false, commit: commit(20) });
    queue.push([item('e', 21)]);
    expect(queue.settle(2)).toEqual(commit(2));
    expect(batch(queue)).toEqual([LOST(12), 'e']);
    expect(queue.settle(1)).toEqual(commit(20));
  });

  test('a loss in flight is not changed any more', () => {
    const queue = queueOf('a');
    queue.dropAll();
    expect(batch(queue)).toEqual([LOST(1)]);
    queue.pushLoss({ lines: 2, isAtLeast: false, commit: commit(5) });
    expect(queue.settle(1)).toEqual(commit(1));
    expect(batch(queue)).toEqual([LOST(2)]);
  });

  test('a line in pieces counts once', () => {
    const queue = new MessageQueue(() => 0);
    queue.push([
      item('a', 1, { id: 'i', ordinal: 1, last: false }),
      item('b', 2, { id: 'i', ordinal: 2, last: true }),
    ]);
    queue.dropAll();
    expect(batch(queue)).toEqual([LOST(1)]);
  });

  test('lossText: says how many, or that nobody knows', () => {
    const end = ': the log sink did not keep up';
    expect([lossText(1, false), lossText(2, false), lossText(0, true), lossText(3, true)]).toEqual([
      `gantry: dropped 1 log line${end}`,
      `gantry: dropped 2 log lines${end}`,
      `gantry: dropped an unknown number of log lines${end}`,
      `gantry: dropped at least 3 log lines${end}`,
    ]);
  });
});

describe('Backoff', () => {
  test('grows up to its limit, and begins anew after a success', () => {
    const backoff = new Backoff({ firstMs: 100, factor: 2, maxMs: 500 }, () => 0);
    expect([1, 2, 3, 4].map(() => backoff.fail())).toEqual([100, 200, 400, 500]);
    backoff.succeed();
    expect(backoff.fail()).toBe(100);
  });

  test('is a little shorter at random, never longer', () => {
    expect(new Backoff({ firstMs: 100 }, () => 1).fail()).toBe(75);
  });

  test('is exhausted after the allowed attempts', () => {
    const backoff = new Backoff({ maxAttempts: 2 });
    backoff.fail();
    expect(backoff.isExhausted).toBe(false);
    backoff.fail();
    expect(backoff.isExhausted).toBe(true);
  });
});

describe('withLimit', () => {
  const never = new Promise<never>(() => {});
  const forEver = new AbortController().signal;

  test('gives up at the deadline, even on who does not listen', async () => {
    const clock = createManualClock();
    let seen: AbortSignal | undefined;
    const limited = withLimit(clock, 100, forEver, 'sink', (signal) => {
      seen = signal;
      return never;
    });
    const outcome = limited.catch((error: Error) => error.message);
    await clock.advance(100);
    expect(await outcome).toBe('sink: no answer within 100 ms');
    expect(seen?.aborted).toBe(true);
  });

  test('passes results and errors on, and leaves no timer', async () => {
    const clock = createManualClock();
    expect(await withLimit(clock, 100, forEver, 'sink', async () => 7)).toBe(7);
    const failing = withLimit(clock, 100, forEver, 'sink', async () => {
      throw new Error('refused');
    });
    await expect(failing).rejects.toThrow('refused');
    await clock.settle();
    expect(clock.pending).toBe(0);
  });

  test('ends with its parent', async () => {
    const parent = new AbortController();
    const limited = withLimit(systemClock, 60_000, parent.signal, 'sink', () => never);
    parent.abort(new Error('stopped'));
    await expect(limited).rejects.toThrow('stopped');
    await expect(withLimit(systemClock, 1, parent.signal, 'sink', () => never)).rejects.toThrow('stopped');
  });
});

test('Forwarders: what is asked of unknown containers has an answer', async () => {
  const forwarders = new Forwarders({ logger: silentLogger });
  forwarders.complete('x');
  await forwarders.stop('x');
  await forwarders.done('x');
  expect([forwarders.guard('x'), forwarders.status('x')]).toEqual([undefined, undefined]);
  await forwarders.close();
});
