import { afterEach, beforeEach, expect, test } from 'bun:test';
import { silentLogger } from '#base';
import { createManualClock, type ManualClock } from '#base/testing';
import type { HealthState } from '../model.ts';
import type { HealthCheck } from './check.ts';
import { initialHealth } from './health-state.ts';
import type { Probe, ProbeOutcome } from './probe.ts';
import { HealthScheduler } from './scheduler.ts';

const CHECK: HealthCheck = {
  command: ['check'],
  intervalMs: 30_000,
  timeoutMs: 2_000,
  retries: 2,
  startPeriodMs: 0,
  startIntervalMs: 5_000,
};

let clock: ManualClock;
let scheduler: HealthScheduler;
beforeEach(() => {
  clock = createManualClock();
  scheduler = new HealthScheduler({ logger: silentLogger, clock });
});
afterEach(async () => {
  const closed = scheduler.close();
  await clock.advance(60_000);
  await closed;
  expect(scheduler.size).toBe(0);
  expect(clock.pending).toBe(0);
});

/** A probe whose runs are ended by the test. */
class Runs {
  readonly starts: number[] = [];
  readonly signals: AbortSignal[] = [];
  readonly #open: PromiseWithResolvers<ProbeOutcome>[] = [];
  /** Ends a run as soon as it is killed. */
  diesWhenKilled = true;
  marksStart = true;

  readonly probe: Probe = (signal, onStarted) => {
    const run = Promise.withResolvers<ProbeOutcome>();
    this.starts.push(clock.now());
    this.signals.push(signal);
    this.#open.push(run);
    if (this.marksStart) onStarted();
    signal.addEventListener('abort', () => {
      if (this.diesWhenKilled) this.end(137, 'partial');
    });
    return run.promise;
  };

  get running(): number {
    return this.#open.length;
  }

  end(exitCode: number, output = ''): void {
    this.#open.shift()?.resolve({ exitCode, output });
  }

  fail(message: string): void {
    this.#open.shift()?.reject(new Error(message));
  }
}

interface Watch {
  readonly runs: Runs;
  readonly states: HealthState[];
}

function watch(
  id = 'c',
  options: { check?: Partial<HealthCheck>; health?: HealthState; startedAtMs?: number } = {},
): Watch {
  const runs = new Runs();
  const states: HealthState[] = [];
  scheduler.start(id, {
    check: { ...CHECK, ...options.check },
    probe: runs.probe,
    startedAtMs: options.startedAtMs ?? clock.now(),
    health: options.health ?? initialHealth(),
    onHealth: (health) => states.push(health),
  });
  return { runs, states };
}
const words = (states: readonly HealthState[]) =>
  states.map(({ status, failingStreak }) => `${status}:${failingStreak}`);
const lastOutput = ({ states }: Watch) => states.at(-1)?.log.at(-1)?.output;

test('the first probe comes after an interval, the next one an interval after its end', async () => {
  const { runs, states } = watch();
  const began = clock.now();
  await clock.advance(29_999);
  expect(runs.starts).toEqual([]);
  await clock.advance(1_001);
  runs.end(0, 'fine');
  await clock.advance(29_999);
  expect(runs.starts.map((at) => at - began)).toEqual([30_000]);
  await clock.advance(1);
  expect(runs.starts.map((at) => at - began)).toEqual([30_000, 61_000]);
  expect(states).toMatchObject([{ status: 'healthy', log: [{ exitCode: 0, output: 'fine' }] }]);
});

test('during the start period the start interval applies, until the first success', async () => {
  const { runs, states } = watch('c', { check: { startPeriodMs: 20_000 } });
  const began = clock.now();
  for (const code of [1, 1, 0]) {
    await clock.advance(5_000);
    runs.end(code);
    await clock.settle();
  }
  await clock.advance(30_000);
  expect(runs.starts.map((at) => at - began)).toEqual([5_000, 10_000, 15_000, 45_000]);
  expect(words(states)).toEqual(['starting:0', 'starting:0', 'healthy:0']);
});

test('a probe that takes too long is killed and counts as a failure with docker’s text', async () => {
  const watched = watch();
  const { runs, states } = watched;
  await clock.advance(30_000 + 1_999);
  expect(runs.signals[0]?.aborted).toBe(false);
  await clock.advance(1);
  expect(runs.signals[0]?.aborted).toBe(true);
  expect(states.at(-1)?.log).toMatchObject([{ exitCode: -1 }]);
  expect(lastOutput(watched)).toBe('Health check exceeded timeout (2s): partial');
});

test('without output the text of a timeout ends there', async () => {
  const watched = watch('c', { check: { timeoutMs: 30_000 } });
  watched.runs.diesWhenKilled = false;
  await clock.advance(60_000);
  watched.runs.end(137);
  await clock.settle();
  expect(lastOutput(watched)).toBe('Health check exceeded timeout (30s)');
});

test('a probe that does not die is noted after a grace period; only its own container waits', async () => {
  scheduler = new HealthScheduler({ logger: silentLogger, clock, maxConcurrent: 1 });
  const stuck = watch('stuck');
  const other = watch('other');
  stuck.runs.diesWhenKilled = false;
  await clock.advance(30_000);
  expect([stuck.runs.running, other.runs.running]).toEqual([1, 1]);
  other.runs.end(0);
  await clock.advance(12_000);
  expect(words(stuck.states)).toEqual(['starting:1']);
  await clock.advance(300_000);
  expect(stuck.runs.starts).toHaveLength(1);
  stuck.runs.end(137);
  await clock.advance(30_000);
  expect(stuck.runs.starts).toHaveLength(2);
  stuck.runs.end(0);
});

test('a place is held while the command is started, not while it runs', async () => {
  scheduler = new HealthScheduler({ logger: silentLogger, clock, maxConcurrent: 2 });
  // Commands that hang, for longer than anybody wants to wait.
  const hanging = ['a', 'b', 'c', 'd'].map((id) => watch(id, { check: { timeoutMs: 3_600_000 } }));
  const quick = watch('quick');
  await clock.advance(30_000);
  expect(hanging.map(({ runs }) => runs.running)).toEqual([1, 1, 1, 1]);
  expect(quick.runs.running).toBe(1);
  quick.runs.end(0);
  await clock.settle();
  expect(words(quick.states)).toEqual(['healthy:0']);
});

test('while commands are being started others wait, and go on when one cannot be started', async () => {
  scheduler = new HealthScheduler({ logger: silentLogger, clock, maxConcurrent: 1 });
  const slow = watch('slow');
  slow.runs.marksStart = false;
  const other = watch('other');
  await clock.advance(30_000);
  expect([slow.runs.running, other.runs.running]).toEqual([1, 0]);
  slow.runs.fail('no such file');
  await clock.settle();
  expect(other.runs.running).toBe(1);
  other.runs.end(0);
});

test('starting the command does not count towards the timeout, but has a limit of its own', async () => {
  const watched = watch();
  watched.runs.marksStart = false;
  await clock.advance(30_000 + 29_999);
  expect(watched.states).toEqual([]);
  await clock.advance(1);
  expect(watched.states.at(-1)?.log).toMatchObject([{ exitCode: -1 }]);
  expect(lastOutput(watched)).toBe('timed out starting health check for container c');
});

test('a probe that cannot run counts as a failure with the reason', async () => {
  const watched = watch();
  await clock.advance(30_000);
  watched.runs.fail('OCI runtime exec failed');
  await clock.settle();
  expect(watched.states).toMatchObject([
    { failingStreak: 1, log: [{ exitCode: -1, output: 'OCI runtime exec failed' }] },
  ]);
});

test('a paused container is not probed; the running probe is killed and forgotten', async () => {
  const { runs, states } = watch();
  await clock.advance(30_000);
  scheduler.pause('c');
  await clock.settle();
  expect(runs.signals[0]?.aborted).toBe(true);
  await clock.advance(120_000);
  expect([runs.starts.length, states.length]).toEqual([1, 0]);
  scheduler.resume('c');
  scheduler.resume('c');
  await clock.advance(29_999);
  expect(runs.starts).toHaveLength(1);
  await clock.advance(1);
  expect(runs.starts).toHaveLength(2);
  runs.end(0);
  await clock.settle();
  expect(words(states)).toEqual(['healthy:0']);
});

test('stop: waits for the probe’s death, reports nothing, probes no more', async () => {
  const { runs, states } = watch();
  runs.diesWhenKilled = false;
  await clock.advance(30_000);
  let isStopped = false;
  const stopped = scheduler.stop('c').then(() => {
    isStopped = true;
  });
  await clock.settle();
  expect([runs.signals[0]?.aborted, isStopped]).toEqual([true, false]);
  runs.end(0);
  await stopped;
  await clock.advance(120_000);
  expect([runs.starts.length, states.length]).toEqual([1, 0]);
  await scheduler.stop('unknown');
});

test('start: a new run begins anew, the former watch is over', async () => {
  const first = watch();
  await clock.advance(30_000);
  const second = watch();
  await clock.advance(30_000);
  expect([first.runs.starts.length, first.runs.signals[0]?.aborted]).toEqual([1, true]);
  second.runs.end(0);
  await clock.settle();
  expect([first.states.length, second.states.length]).toEqual([0, 1]);
});

test('an adopted container goes on with its state and its rhythm', async () => {
  const log = [{ start: '', end: new Date(clock.now() - 10_000).toISOString(), exitCode: 1, output: '' }];
  const health: HealthState = { status: 'healthy', failingStreak: 1, log };
  const { runs, states } = watch('c', { health, startedAtMs: clock.now() - 3_600_000 });
  const began = clock.now();
  await clock.advance(20_000);
  expect(runs.starts.map((at) => at - began)).toEqual([20_000]);
  runs.end(1);
  await clock.settle();
  expect(words(states)).toEqual(['unhealthy:2']);
  expect(states[0]?.log).toHaveLength(2);
});

test('a thousand adopted, overdue containers are spread and never exceed the places', async () => {
  const log = [{ start: '', end: '2020-01-01T00:00:00.000Z', exitCode: 0, output: '' }];
  const health: HealthState = { status: 'healthy', failingStreak: 0, log };
  let running = 0;
  let most = 0;
  const starts: number[] = [];
  for (let index = 0; index < 1000; index += 1) {
    scheduler.start(`container-${index}`, {
      check: CHECK,
      probe: async (_signal, onStarted) => {
        starts.push(clock.now());
        running += 1;
        most = Math.max(most, running);
        await new Promise<void>((resolve) => clock.schedule(50, resolve));
        running -= 1;
        onStarted();
        return { exitCode: 0, output: '' };
      },
      startedAtMs: 0,
      health,
      onHealth: () => {},
    });
  }
  const began = clock.now();
  for (let second = 0; second < 36; second += 1) await clock.advance(1_000);
  expect(new Set(starts).size).toBeGreaterThan(500);
  expect(starts.length).toBeGreaterThanOrEqual(1000);
  expect(starts.filter((at) => at - began < 5_000).length).toBeLessThan(300);
  expect(most).toBeLessThanOrEqual(8);
});

test('what onHealth throws does not end the watch', async () => {
  const runs = new Runs();
  scheduler.start('c', {
    check: CHECK,
    probe: runs.probe,
    startedAtMs: clock.now(),
    health: initialHealth(),
    onHealth: () => {
      throw new Error('disk full');
    },
  });
  for (let round = 1; round <= 2; round += 1) {
    await clock.advance(30_000);
    expect(runs.starts).toHaveLength(round);
    runs.end(0);
  }
});
