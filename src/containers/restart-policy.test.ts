import { expect, test } from 'bun:test';
import type { RestartPolicy } from './model.ts';
import { RestartBackoff, shouldRestart } from './restart-policy.ts';

const end = { exitCode: 1, manuallyStopped: false, restartCount: 0 };
const policy = (name: RestartPolicy['name'], maximumRetryCount = 0): RestartPolicy => ({
  name,
  maximumRetryCount,
});

for (const [given, changes, expected] of [
  [policy('no'), {}, false],
  [policy('always'), { exitCode: 0 }, true],
  [policy('always'), { manuallyStopped: true }, false],
  [policy('unless-stopped'), { exitCode: 0 }, true],
  [policy('unless-stopped'), { manuallyStopped: true }, false],
  [policy('on-failure'), { exitCode: 0 }, false],
  [policy('on-failure'), { restartCount: 1000 }, true],
  [policy('on-failure', 3), { restartCount: 2 }, true],
  [policy('on-failure', 3), { restartCount: 3 }, false],
  [policy('on-failure'), { manuallyStopped: true }, false],
] as const) {
  test(`shouldRestart: ${given.name}:${given.maximumRetryCount} ${JSON.stringify(changes)} → ${expected}`, () => {
    expect(shouldRestart(given, { ...end, ...changes })).toBe(expected);
  });
}

test('RestartBackoff: 100 ms, doubled up to a minute, anew after a run of ten seconds', () => {
  const backoff = new RestartBackoff();
  const delays = Array.from({ length: 12 }, () => backoff.nextDelayMs(50));
  expect(delays.slice(0, 4)).toEqual([100, 200, 400, 800]);
  expect(delays.at(-1)).toBe(60_000);
  expect(backoff.nextDelayMs(10_000)).toBe(100);
  backoff.nextDelayMs(0);
  backoff.reset();
  expect(backoff.nextDelayMs(0)).toBe(100);
});
