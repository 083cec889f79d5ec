import { expect, test } from 'bun:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { releaseMemoryWhenIdle } from './idle-memory.ts';

const CHECK_MS = 2;

/** Each check finds the next of `usage` as processor time; the last one stays. */
async function releasesAfter(usage: readonly number[]): Promise<number> {
  let releases = 0;
  let at = 0;
  const done = Promise.withResolvers<void>();
  const cpuMs = (): number => {
    if (at >= usage.length + 2) done.resolve();
    return usage[Math.min(at++, usage.length - 1)] ?? 0;
  };
  const processes = {
    releaseProgramPages: () => {
      releases += 1;
    },
  };
  using _ = releaseMemoryWhenIdle(processes, { cpuMs, collect: () => {}, checkMs: CHECK_MS });
  await done.promise;
  await sleep(CHECK_MS * 2);
  return releases;
}

test('`releaseMemoryWhenIdle`: once, when work is followed by quiet', async () => {
  expect(await releasesAfter([0, 400, 800, 810])).toBe(1);
});

test('`releaseMemoryWhenIdle`: not while there is work, not without any', async () => {
  expect(await releasesAfter([0, 200, 400, 600, 800, 1000, 1200, 1400, 1600, 1800])).toBe(1);
  expect(await releasesAfter([0, 1, 2, 3])).toBe(0);
});

test('`releaseMemoryWhenIdle`: again after more work', async () => {
  expect(await releasesAfter([0, 300, 301, 301, 700, 701, 701, 701])).toBe(2);
});
