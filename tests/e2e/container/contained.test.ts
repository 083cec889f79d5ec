import { afterAll, describe, expect, test } from 'bun:test';
import { existsSync, readFileSync } from 'node:fs';
import { eventually } from '../../harness/eventually.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { gantryClient } from '../../harness/programs.ts';
import { SLOWNESS } from '../../harness/slowness.ts';

/** What is promised of limits: shares are a ratio, a limit of memory is hard, a group's children are in the group. */
const engine = useEngine();
const isV1 = existsSync('/sys/fs/cgroup/memory');
const must = (...args: string[]) => engine.must(gantryClient, args);

const names: string[] = [];
afterAll(async () => void (names.length > 0 && (await engine.run(gantryClient, ['rm', '-f', ...names]))));

async function start(stem: string, flags: readonly string[], script: string): Promise<string> {
  const name = uniqueName(stem);
  names.push(name);
  await must('run', '-d', '--name', name, ...flags, 'busybox', 'sh', '-c', script);
  return name;
}

/** Directory of a running container's cgroup, of one of v1's controllers. */
async function cgroupOf(name: string, controller: string): Promise<string> {
  const pid = await must('inspect', '-f', '{{.State.Pid}}', name);
  const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').split('\n');
  const line = lines.find((text) => text.split(':')[1] === (isV1 ? controller : ''));
  return `/sys/fs/cgroup/${isV1 ? controller : ''}${line?.split(':')[2]}`;
}
const read = (directory: string, file: string): string => readFileSync(`${directory}/${file}`, 'utf8').trim();

describe('processor time', () => {
  const SPIN = 'timeout 60 sh -c "while :; do :; done"';

  test(
    '1024 beside 2048 shares of one processor get a third and two thirds',
    async () => {
      const flags = ['--cgroup-parent', `/gantry-test-${uniqueName('shares')}`, '--cpuset-cpus', '0'];
      const parts = await Promise.all([
        start('third', [...flags, '--cpu-shares', '1024'], SPIN),
        start('two-thirds', [...flags, '--cpu-shares', '2048'], SPIN),
      ]);
      const groups = await Promise.all(parts.map((name) => cgroupOf(name, isV1 ? 'cpuacct' : '')));
      const usage = (group: string): number =>
        isV1
          ? Number(read(group, 'cpuacct.usage')) / 1000
          : Number(/^usage_usec (\d+)/m.exec(read(group, 'cpu.stat'))?.[1]);
      const before = groups.map(usage);
      // By what they have used together, not by the clock: others work on this machine, too.
      const used = await eventually('three seconds of the processor', () => {
        const now = groups.map((group, at) => usage(group) - (before[at] ?? 0));
        return (now[0] ?? 0) + (now[1] ?? 0) > 3_000_000 ? now : undefined;
      });
      const [third = 0, rest = 0] = used;
      console.log(`figure shares: ${Math.round((100 * third) / (third + rest))} %`);
      expect(third / (third + rest)).toBeWithin(0.27, 0.4);
      await must('rm', '-f', ...parts);
    },
    90_000 * SLOWNESS,
  );
});

describe('memory', () => {
  test('the limit is hard: who asks for more is killed, and inspect says why', async () => {
    const name = await start('hog', ['-m', '32m', '--memory-swap', '32m'], 'exec tail /dev/zero');
    expect(await must('wait', name)).toBe('137');
    const shown = await must('inspect', '-f', '{{.State.OOMKilled}} {{.State.ExitCode}}', name);
    expect(shown).toBe('true 137');
  });

  test('children share it: the group never has more than its limit', async () => {
    const script = 'for n in 1 2 3 4; do (tail /dev/zero; :) & done; wait; sleep 1000';
    const name = await start('hogs', ['-m', '48m', '--memory-swap', '48m'], script);
    const group = await cgroupOf(name, 'memory');
    const kills = () =>
      Number(/^oom_kill (\d+)/m.exec(read(group, isV1 ? 'memory.oom_control' : 'memory.events'))?.[1]);
    await eventually('all four to be killed', () => kills() >= 4);
    const peak = isV1 ? 'memory.max_usage_in_bytes' : 'memory.peak';
    if (existsSync(`${group}/${peak}`))
      expect(Number(read(group, peak))).toBeLessThanOrEqual(48 * 1024 * 1024);
    expect(await must('inspect', '-f', '{{.State.Running}}', name)).toBe('true');
    await must('rm', '-f', name);
  });
});

test('a fork bomb stays in its container, and goes with it', async () => {
  // Who cannot fork ends: the first process only watches.
  const bomb = 'f() { f & f; }; (sleep 0.2; f) 2>/dev/null & exec sleep 1000';
  const name = await start('bomb', ['--pids-limit', '40', '--cpus', '0.5'], bomb);
  const group = await cgroupOf(name, 'pids');
  await eventually('the bomb to hit the limit', () => /max [1-9]/.test(read(group, 'pids.events')));
  expect(Number(read(group, 'pids.current'))).toBeLessThanOrEqual(40);
  // Meanwhile others are served.
  expect(await must('run', '--rm', 'busybox', 'echo', 'served')).toBe('served');
  await must('rm', '-f', name);
  await eventually('its processes to be gone', () => !existsSync(group));
});
