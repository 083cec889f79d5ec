import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import type { SpecResources } from '#oci';
import type { Runtime, Task } from '#runtime';
import { Sandbox, sys } from './harness.ts';

let sandbox: Sandbox;
let runtime: Runtime;
beforeAll(async () => {
  sandbox = new Sandbox();
  runtime = await sandbox.runtime();
});
afterAll(async () => {
  await sandbox[Symbol.asyncDispose]();
  expect(sandbox.leaks()).toEqual([]);
});

async function start(resources: SpecResources): Promise<Task> {
  const task = await runtime.create(sandbox.options(['sleep', '1000'], { resources }));
  await task.start();
  return task;
}
const sleeper = () => sandbox.execOptions(['sleep', '1000'], { attachOutput: false });
/** The cgroup of a process for one controller of cgroup v1. */
const cgroupOf = (pid: number, controller: string) =>
  readFileSync(`/proc/${pid}/cgroup`, 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([, controllers = '']) => controllers.split(',').includes(controller))?.[2];

test.skipIf(sys.cgroups.mode === 'unified')(
  'cgroup v1: throttles that a cgroup below does not inherit hold for execs, too',
  async () => {
    const throttle = { major: 7, minor: 0, rate: 1_000_000 };
    const task = await start({ blockIO: { throttleWriteBpsDevice: [throttle] } });
    const exec = await task.exec(sleeper());
    expect(cgroupOf(exec.pid, 'blkio')).toBe(cgroupOf(task.pid, 'blkio'));
    expect(await exec.kill(9, { all: true })).toBe(true);
    expect((await exec.exited).exitCode).toBe(137);
    expect(task.processes()).toEqual([task.pid]);
    await runtime.delete(task.id);
  },
);

test('the processors of a container with execs can be changed to others, fewer and more', async () => {
  const task = await start({ cpu: { cpus: '0-1' } });
  const exec = await task.exec(sleeper());
  const allowed = (pid: number) =>
    /Cpus_allowed_list:\s*(\S+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  for (const cpus of ['0', '1', '0-1']) {
    await task.update({ cpu: { cpus } });
    expect([allowed(task.pid), allowed(exec.pid)]).toEqual([cpus, cpus]);
  }
  await expect(task.update({ cpu: { cpus: '4000' } })).rejects.toThrow();
  expect([allowed(task.pid), allowed(exec.pid)]).toEqual(['0-1', '0-1']);
  await exec.kill(9);
  await exec.exited;
  await runtime.delete(task.id);
});
