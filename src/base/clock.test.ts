import { expect, test } from 'bun:test';
import { sleep, systemClock } from './clock.ts';
import { createManualClock } from './testing/index.ts';

test('ManualClock: actions run in order of time, then of order, and may order more', async () => {
  const clock = createManualClock(0);
  const seen: string[] = [];
  clock.schedule(20, () => seen.push(`b${clock.now()}`));
  clock.schedule(10, () => {
    seen.push(`a${clock.now()}`);
    clock.schedule(10, () => seen.push(`c${clock.now()}`));
  });
  const cancel = clock.schedule(15, () => seen.push('never'));
  cancel();
  cancel();
  await clock.advance(19);
  expect(seen).toEqual(['a10']);
  await clock.advance(1);
  expect(seen).toEqual(['a10', 'b20', 'c20']);
  expect(clock.pending).toBe(0);
});

test('sleep: ends with its time or with the signal, and leaves no action behind', async () => {
  const clock = createManualClock();
  const abort = new AbortController();
  const slept = sleep(clock, 1000, abort.signal);
  abort.abort();
  await slept;
  expect(clock.pending).toBe(0);
  await sleep(clock, 1000, abort.signal);
  const full = sleep(clock, 1000);
  await clock.advance(1000);
  await full;
});

test('systemClock: a delay beyond the range of timers does not fire at once', async () => {
  let hasFired = false;
  const cancel = systemClock.schedule(2 ** 40, () => {
    hasFired = true;
  });
  await new Promise<void>((resolve) => systemClock.schedule(1, resolve));
  cancel();
  expect(hasFired).toBe(false);
});
