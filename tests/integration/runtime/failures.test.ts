import { afterAll, beforeAll, expect, test } from 'bun:test';
import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../harness/eventually.ts';
import { Sandbox, sys } from './harness.ts';

let sandbox: Sandbox;
beforeAll(() => {
  sandbox = new Sandbox();
});
afterAll(async () => {
  await sandbox[Symbol.asyncDispose]();
  expect(sandbox.leaks()).toEqual([]);
});

const descriptors = () => readdirSync('/proc/self/fd').length;

test('an exec whose monitor cannot be started leaves no file, no cgroup and no descriptor', async () => {
  const conmonPath = join(sandbox.directory, 'conmon');
  cpSync('/usr/bin/conmon', conmonPath);
  const runtime = await sandbox.runtime({ conmonPath });
  const options = sandbox.options(['sleep', '1000']);
  const task = await runtime.create(options);
  await task.start();
  const fails = () => expect(task.exec(sandbox.execOptions(['true']))).rejects.toThrow();
  rmSync(conmonPath);
  await fails();
  const before = descriptors();
  for (let round = 0; round < 5; round += 1) await fails();
  // A descriptor of what came before may still be about to go.
  await eventually('the descriptors to go', () => descriptors() <= before);
  expect(readdirSync(join(sandbox.directory, 'exec/tasks', options.id, 'execs'))).toEqual([]);
  const pids = sys.cgroups.directory('pids', `${sandbox.cgroupParent}/${options.id}`) ?? '';
  expect(readdirSync(pids).filter((name) => name.startsWith('exec-'))).toEqual([]);
  await runtime.delete(options.id);
});

test('a container whose runtime is configured no longer can be deleted', async () => {
  const first = await sandbox.runtime({ addRuntimes: { other: { path: '/usr/bin/crun' } } });
  const options = sandbox.options(['sleep', '1000']);
  const task = await first.create({ ...options, runtime: 'other' });
  await task.start();
  const { monitorPid } = task;
  await first.close();
  const second = await sandbox.runtime();
  await second.recover(options.id);
  await second.delete(options.id);
  expect(second.leftovers()).toEqual([]);
  expect([existsSync(`/proc/${task.pid}`), existsSync(`/proc/${monitorPid}`)]).toEqual([false, false]);
});
