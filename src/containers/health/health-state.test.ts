import { describe, expect, test } from 'bun:test';
import type { HealthState } from '../model.ts';
import { healthCheckOf } from './check.ts';
import { probeDelayMs, resumeDelayMs } from './delay.ts';
import { healthEvent, healthStatusText, initialHealth, nextHealth } from './health-state.ts';
import { limitOutput } from './output.ts';

const STARTED = Date.UTC(2026, 0, 1);
const S = 1000;
const result = (exitCode: number, atMs = 60 * S) => ({
  startMs: STARTED + atMs,
  endMs: STARTED + atMs + 10,
  exitCode,
  output: `exit ${exitCode}`,
});

/** The states after each of the exit codes, one probe every ten seconds from ten seconds on. */
function run(codes: readonly number[], check: { retries?: number; startPeriodMs?: number } = {}) {
  const states: string[] = [];
  let state = initialHealth();
  codes.forEach((code, index) => {
    const config = { retries: 3, startPeriodMs: 0, ...check };
    state = nextHealth(state, result(code, (index + 1) * 10 * S), config, STARTED);
    states.push(`${state.status}:${state.failingStreak}`);
  });
  return states.join(' ');
}

describe('nextHealth', () => {
  for (const [title, codes, check, expected] of [
    ['the first success makes it healthy', [0], {}, 'healthy:0'],
    ['failures while starting count', [1, 1, 1], {}, 'starting:1 starting:2 unhealthy:3'],
    [
      'a healthy one stays so until the last retry',
      [0, 1, 1, 1],
      {},
      'healthy:0 healthy:1 healthy:2 unhealthy:3',
    ],
    ['a success ends the streak', [1, 1, 0, 1], {}, 'starting:1 starting:2 healthy:0 healthy:1'],
    [
      'an unhealthy one recovers at once',
      [1, 1, 1, 1, 0],
      {},
      'starting:1 starting:2 unhealthy:3 unhealthy:4 healthy:0',
    ],
    ['any code but 0 is a failure', [2, 255, -1], {}, 'starting:1 starting:2 unhealthy:3'],
    ['retries 1', [1], { retries: 1 }, 'unhealthy:1'],
    [
      'failures within the start period do not count',
      [1, 1, 1, 1, 1],
      { startPeriodMs: 30 * S },
      'starting:0 starting:0 starting:1 starting:2 unhealthy:3',
    ],
    [
      'the first success ends the start period',
      [1, 0, 1, 1],
      { startPeriodMs: 3600 * S, retries: 2 },
      'starting:0 healthy:0 healthy:1 unhealthy:2',
    ],
  ] as const) {
    test(title, () => expect(run(codes, check)).toBe(expected));
  }

  test('keeps the last five results', () => {
    let state: HealthState = initialHealth();
    for (let code = 1; code <= 7; code += 1) {
      state = nextHealth(state, result(code), { retries: 9, startPeriodMs: 0 }, STARTED);
    }
    expect(state.log.map(({ exitCode }) => exitCode)).toEqual([3, 4, 5, 6, 7]);
    expect(state.log[0]).toEqual({
      start: '2026-01-01T00:01:00.000Z',
      end: '2026-01-01T00:01:00.010Z',
      exitCode: 3,
      output: 'exit 3',
    });
  });
});

describe('healthCheckOf', () => {
  const check = (Test: readonly string[] | undefined, extra = {}, shell?: readonly string[]) =>
    healthCheckOf({ healthcheck: Test ? { Test, ...extra } : undefined, shell });
  const DEFAULTS = {
    intervalMs: 30_000,
    timeoutMs: 30_000,
    retries: 3,
    startPeriodMs: 0,
    startIntervalMs: 5_000,
  };

  for (const [title, given, shell, command] of [
    ['CMD', ['CMD', 'curl', '-f'], undefined, ['curl', '-f']],
    ['CMD-SHELL', ['CMD-SHELL', 'a || b'], undefined, ['/bin/sh', '-c', 'a || b']],
    [
      'CMD-SHELL with a shell of its own',
      ['CMD-SHELL', 'a'],
      ['/bin/bash', '-lc'],
      ['/bin/bash', '-lc', 'a'],
    ],
    ['an empty shell is none', ['CMD-SHELL', 'a'], [], ['/bin/sh', '-c', 'a']],
  ] as const) {
    test(title, () => expect(check(given, {}, shell)).toEqual({ command, ...DEFAULTS }));
  }

  for (const given of [undefined, [], ['NONE'], ['CMD'], ['CMD-SHELL'], ['TCP', '80']]) {
    test(`no check: ${JSON.stringify(given)}`, () => expect(check(given)).toBeUndefined());
  }

  test('durations are nanoseconds, zero is the default', () => {
    const durations = { Interval: 5e8, Timeout: 1e6, StartPeriod: 6e10, StartInterval: 0, Retries: 0 };
    expect(check(['CMD', 'x'], durations)).toEqual({
      command: ['x'],
      intervalMs: 500,
      timeoutMs: 1,
      retries: 3,
      startPeriodMs: 60_000,
      startIntervalMs: 5_000,
    });
  });
});

describe('delays', () => {
  const pace = { intervalMs: 30 * S, startIntervalMs: 5 * S, startPeriodMs: 60 * S };

  for (const [status, sinceMs, expected] of [
    ['starting', 0, 5 * S],
    ['starting', 59 * S, 5 * S],
    ['starting', 60 * S, 30 * S],
    ['healthy', 10 * S, 30 * S],
    ['unhealthy', 10 * S, 30 * S],
  ] as const) {
    test(`probeDelayMs: ${status} after ${sinceMs / S} s`, () =>
      expect(probeDelayMs(pace, status, sinceMs)).toBe(expected));
  }

  const adopted: HealthState = nextHealth(
    initialHealth(),
    result(0),
    { retries: 3, startPeriodMs: 0 },
    STARTED,
  );
  for (const [title, nowMs, expected] of [
    ['goes on one interval after the last result', 70 * S + 10, 20 * S],
    ['is spread over the interval when overdue', 3600 * S, 15 * S],
    ['a clock that went backwards waits no longer than an interval', 0, 30 * S],
  ] as const) {
    test(`resumeDelayMs: ${title}`, () => {
      const times = { nowMs: STARTED + nowMs, spread: 0.5 };
      expect(resumeDelayMs(pace, adopted, nowMs, times)).toBe(expected);
    });
  }

  test('resumeDelayMs: without a result it is as after a start', () => {
    expect(resumeDelayMs(pace, initialHealth(), 0, { nowMs: STARTED, spread: 0.5 })).toBe(5 * S);
  });
});

test('limitOutput: the first 4096 bytes, and says that there was more', () => {
  expect(limitOutput('x'.repeat(4096))).toBe('x'.repeat(4096));
  expect(limitOutput(new Uint8Array(5000).fill(0x78))).toBe(`${'x'.repeat(4096)}...`);
  expect(limitOutput(Uint8Array.of(0x61, 0xff))).toBe('a\ufffd');
});

test('healthEvent, healthStatusText: docker’s words', () => {
  expect((['starting', 'healthy', 'unhealthy'] as const).map(healthEvent)).toEqual([
    'health_status: starting',
    'health_status: healthy',
    'health_status: unhealthy',
  ]);
  expect((['starting', 'healthy', 'unhealthy'] as const).map(healthStatusText)).toEqual([
    '(health: starting)',
    '(healthy)',
    '(unhealthy)',
  ]);
});
