import { afterEach, beforeEach, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '#base';
import {
  HealthScheduler,
  healthCheckOf,
  initialHealth,
  type Probe,
} from '../../../src/containers/health/index.ts';
import type { HealthState } from '../../../src/containers/model.ts';
import { eventually } from '../../harness/eventually.ts';

const MS = 1e6;
let directory: string;
let scheduler: HealthScheduler;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gantry-health-'));
  scheduler = new HealthScheduler({ logger: silentLogger });
});
afterEach(async () => {
  await scheduler.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Runs the check's command as a process of this machine, as the engine does in a container. */
const processProbe =
  (command: readonly string[]): Probe =>
  async (signal, onStarted) => {
    const process = Bun.spawn([...command], { stdout: 'pipe', stderr: 'ignore' });
    onStarted();
    const kill = (): void => process.kill('SIGKILL');
    signal.addEventListener('abort', kill);
    if (signal.aborted) kill();
    const [output, exitCode] = await Promise.all([process.stdout.bytes(), process.exited]);
    return { exitCode, output };
  };

/** Watches a container with this check; the states in order. */
function watch(line: string, options: { timeoutMs?: number; retries?: number } = {}): HealthState[] {
  const check = healthCheckOf({
    healthcheck: {
      Test: ['CMD-SHELL', line],
      Interval: 5 * MS,
      Timeout: (options.timeoutMs ?? 5_000) * MS,
      Retries: options.retries ?? 2,
    },
    shell: undefined,
  });
  if (!check) throw new Error('no check');
  const states: HealthState[] = [];
  scheduler.start(line, {
    check,
    probe: processProbe(check.command),
    startedAtMs: Date.now(),
    health: initialHealth(),
    onHealth: (health) => states.push(health),
  });
  return states;
}
const last = (states: readonly HealthState[]) => states.at(-1);

test('a service that comes, goes and returns is seen', async () => {
  const file = join(directory, 'up');
  const states = watch(`echo looking; test -e ${file}`);
  await eventually('unhealthy', () => last(states)?.status === 'unhealthy');
  expect(last(states)?.log[0]).toMatchObject({ exitCode: 1, output: 'looking\n' });
  writeFileSync(file, '');
  await eventually('healthy', () => last(states)?.status === 'healthy');
  rmSync(file);
  await eventually('unhealthy again', () => last(states)?.status === 'unhealthy');
  expect(last(states)?.log.length).toBeLessThanOrEqual(5);
});

test('a probe that hangs is killed; what it wrote is kept', async () => {
  const file = join(directory, 'pid');
  const line = `echo half; echo $$ > ${file}.new; mv ${file}.new ${file}; exec sleep 1000`;
  const states = watch(line, { timeoutMs: 500, retries: 1 });
  await eventually('a running probe', () => existsSync(file));
  const pid = readFileSync(file, 'utf8').trim();
  await eventually('unhealthy', () => last(states)?.status === 'unhealthy');
  // On a busy machine a probe may be killed before it has written anything; not all of them.
  await eventually('a probe that wrote', () =>
    last(states)?.log.some(
      ({ exitCode, output }) => exitCode === -1 && output === 'Health check exceeded timeout (500ms): half\n',
    ),
  );
  await scheduler.close();
  await eventually('its death', () => !existsSync(`/proc/${pid}`));
});

test('much output is cut and the process is not held up by it', async () => {
  const states = watch('head -c 1000000 /dev/zero | tr "\\0" x');
  await eventually('healthy', () => last(states)?.status === 'healthy');
  expect(last(states)?.log[0]?.output).toBe(`${'x'.repeat(4096)}...`);
});

test('a command that does not exist is a failure with its reason', async () => {
  const states: HealthState[] = [];
  scheduler.start('c', {
    check: {
      command: ['x'],
      intervalMs: 1,
      timeoutMs: 1000,
      retries: 1,
      startPeriodMs: 0,
      startIntervalMs: 1,
    },
    probe: processProbe(['/no/such/program']),
    startedAtMs: Date.now(),
    health: initialHealth(),
    onHealth: (health) => states.push(health),
  });
  await eventually('unhealthy', () => last(states)?.status === 'unhealthy');
  expect(last(states)?.log[0]).toMatchObject({
    exitCode: -1,
    output: expect.stringContaining('/no/such/program'),
  });
});

test('stopping in the middle of a probe leaves no process', async () => {
  const file = join(directory, 'pid');
  const states = watch(`echo $$ > ${file}.new; mv ${file}.new ${file}; exec sleep 1000`);
  await eventually('a running probe', () => existsSync(file));
  const pid = readFileSync(file, 'utf8').trim();
  await scheduler.close();
  expect([existsSync(`/proc/${pid}`), states]).toEqual([false, []]);
});
