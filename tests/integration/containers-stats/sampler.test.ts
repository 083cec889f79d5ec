import { afterAll, beforeAll, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSys } from '#sys';
import { createStatsSampler, type StatsTarget } from '../../../src/containers/stats/index.ts';

const sys = createSys();
const root = `/gantry-stats-test-${process.pid}`;
const MANY = 100;
let child: Bun.Subprocess<'pipe', 'pipe', 'inherit'>;

const targetOf = (name: string): StatsTarget => ({
  id: name,
  cgroupPath: `${root}/${name}`,
  pid: child.pid,
});

function enter(path: string, pid: number): void {
  const controllers = sys.cgroups.mode === 'unified' ? ['cpu'] : [...sys.cgroups.controllers.keys()];
  for (const controller of controllers) {
    const directory = sys.cgroups.directory(controller, path);
    if (directory !== undefined) writeFileSync(join(directory, 'cgroup.procs'), String(pid));
  }
}

beforeAll(async () => {
  for (let index = 0; index < MANY; index += 1) sys.cgroups.create(`${root}/c${index}`);
  const limit = sys.cgroups.mode === 'unified' ? 'memory.max' : 'memory.limit_in_bytes';
  sys.cgroups.write('memory', `${root}/c0`, limit, String(256 * 1024 * 1024));
  sys.cgroups.write('pids', `${root}/c0`, 'pids.max', '50');
  // Waits for a line, so that all its work is done inside the cgroup and a network namespace of its own.
  const script = 'read line; x=$(head -c 20000000 /dev/zero | tr "\\0" x); echo done; read line';
  child = Bun.spawn(['unshare', '-n', 'bash', '-c', script], {
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'inherit',
  });
  enter(`${root}/c0`, child.pid);
});

afterAll(async () => {
  child.kill('SIGKILL');
  await child.exited;
  sys.cgroups.remove(root);
});

test('the figures of a working process are the kernel’s', async () => {
  const sampler = createStatsSampler({ cgroups: sys.cgroups, intervalMs: 50 });
  const before = sampler.sample(targetOf('c0'));
  child.stdin.write('go\n');
  child.stdin.flush();
  await child.stdout.getReader().read();
  const stats = await sampler.measure(targetOf('c0'));
  expect(stats.cpu.totalNs).toBeGreaterThan(before.cpu.totalNs);
  expect(stats.cpu.systemNs).toBeGreaterThanOrEqual(before.cpu.systemNs);
  expect(stats.cpu.onlineCpus).toBe(navigator.hardwareConcurrency);
  expect(stats.previous?.cpu.totalNs).toBeGreaterThan(before.cpu.totalNs);
  // The text of 20 MB is held in a variable.
  expect(stats.memory?.usage).toBeGreaterThan(20_000_000);
  expect(stats.memory?.limit).toBe(256 * 1024 * 1024);
  expect(stats.pids).toEqual({ current: 1, limit: 50 });
  // A namespace of its own: the host's interfaces are not there.
  expect(stats.networks).toEqual({});
});

test(`${MANY} containers are read in one go`, () => {
  const sampler = createStatsSampler({ cgroups: sys.cgroups });
  const targets = Array.from({ length: MANY }, (_, index) => targetOf(`c${index}`));
  const round = (): number => {
    const started = performance.now();
    const samples = targets.map((target) => sampler.sample(target));
    const tookMs = performance.now() - started;
    expect(samples.every(({ readAt, memory }) => readAt !== undefined && memory !== undefined)).toBe(true);
    return tookMs;
  };
  const rounds = Array.from({ length: 7 }, round).sort((a, b) => a - b);
  console.log(`${MANY} containers sampled in ${rounds[3]?.toFixed(1)} ms (median of 7 rounds)`);
});

test('a cgroup that is removed gives zeros', () => {
  const sampler = createStatsSampler({ cgroups: sys.cgroups });
  sys.cgroups.create(`${root}/gone`);
  expect(sampler.sample(targetOf('gone')).readAt).toBeDefined();
  sys.cgroups.remove(`${root}/gone`);
  expect(sampler.sample(targetOf('gone')).readAt).toBeUndefined();
});
