import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Runtime, Task } from '#runtime';
import { eventually } from '../../harness/eventually.ts';
import { SLOWNESS } from '../../harness/slowness.ts';
import { collect, Sandbox, sys } from './harness.ts';
import { spawnDaemon } from './killed-daemon.ts';

let sandbox: Sandbox;
beforeAll(() => {
  sandbox = new Sandbox();
});
afterAll(async () => {
  await sandbox[Symbol.asyncDispose]();
  expect(sandbox.leaks()).toEqual([]);
});

async function adopted(runtime: Runtime, id: string): Promise<Task> {
  const task = await runtime.recover(id);
  if (!task) throw new Error(`nothing left of ${id}`);
  return task;
}

const alive = (pid: number) => {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};

test('a killed daemon: the container goes on, its successor attaches, executes, ends it; the log is whole', async () => {
  const daemon = await spawnDaemon(sandbox.directory);
  const options = sandbox.options(
    ['sh', '-c', 'i=0; while read line; do i=$((i+1)); echo "$i $line"; done; exit 6'],
    {},
    { openStdin: true },
  );
  await daemon.run(options);
  await daemon.kill();
  const runtime = await sandbox.runtime();
  expect(runtime.leftovers()).toContain(options.id);
  const task = await adopted(runtime, options.id);
  expect(await runtime.recover(options.id)).toBe(task);
  const stream = await task.attach();
  const answered = Promise.withResolvers<string>();
  stream.onOutput((_, chunk) => answered.resolve(Buffer.from(chunk).toString()));
  await stream.write(Buffer.from('hello\n'));
  expect(await answered.promise).toBe('1 hello\n');
  const exec = await task.exec(sandbox.execOptions(['echo', 'from exec']));
  if (!exec.stream) throw new Error('no stream');
  expect((await collect(exec.stream)).stdout).toBe('from exec\n');
  await task.kill(15);
  await task.kill(9);
  expect((await task.exited).exitCode).toBe(137);
  expect(sandbox.logged(options.id, 'stdout')).toBe('1 hello\n');
  await runtime.delete(options.id);
  expect(await runtime.recover(options.id)).toBeUndefined();
});

test('a container that ended while no daemon ran: its exit code and time are known', async () => {
  const daemon = await spawnDaemon(sandbox.directory);
  const gate = join(sandbox.rootfs, 'tmp/gate');
  const options = sandbox.options([
    'sh',
    '-c',
    'while [ ! -e /tmp/gate ]; do sleep 0.02; done; echo last; exit 42',
  ]);
  const { monitorPid } = await daemon.run(options);
  await daemon.kill();
  writeFileSync(gate, '');
  await eventually('the end of the monitor', () => !alive(monitorPid));
  const runtime = await sandbox.runtime();
  const task = await adopted(runtime, options.id);
  const status = await task.exited;
  expect(status).toMatchObject({ exitCode: 42, oomKilled: false });
  expect(Math.abs(Date.now() - Date.parse(status.exitedAt))).toBeLessThan(10_000);
  expect(sandbox.logged(options.id, 'stdout')).toBe('last\n');
  expect(await task.kill(9)).toBe(false);
  await runtime.delete(options.id);
});

test('a lost monitor: the container is still known, can be killed, and its end is reported', async () => {
  const runtime = await sandbox.runtime();
  const options = sandbox.options(['sleep', '1000']);
  const task = await runtime.create(options);
  await task.start();
  let ended = false;
  void task.exited.then(() => {
    ended = true;
  });
  process.kill(task.monitorPid, 'SIGKILL');
  await eventually('the end of the monitor', () => !alive(task.monitorPid));
  expect(task.processes()).toEqual([task.pid]);
  expect(ended).toBe(false);
  expect(await task.kill(9)).toBe(true);
  expect((await task.exited).exitCode).toBe(137);
  await runtime.delete(options.id);
});

test(
  'daemon, monitor and container killed in any order: the truth is known and everything can be removed',
  async () => {
    const orders = [
      ['daemon', 'monitor', 'init'],
      ['daemon', 'init', 'monitor'],
      ['monitor', 'daemon', 'init'],
      ['monitor', 'init', 'daemon'],
      ['init', 'monitor', 'daemon'],
      ['monitor', 'daemon'],
    ];
    for (const order of orders) {
      const daemon = await spawnDaemon(sandbox.directory);
      const options = sandbox.options(['sleep', '1000']);
      const { monitorPid } = await daemon.run(options);
      const initPid = Number(readFileSync(join(sandbox.directory, 'exec/tasks', options.id, 'pid'), 'utf8'));
      for (const victim of order) {
        if (victim === 'daemon') await daemon.kill();
        else sys.processes.kill(victim === 'init' ? initPid : monitorPid, 9);
      }
      if (order.includes('init')) await eventually('the end of init', () => !alive(initPid));
      const runtime = await sandbox.runtime();
      const task = await adopted(runtime, options.id);
      if (!order.includes('init')) expect(await task.kill(9)).toBe(true);
      expect((await task.exited).exitCode).toBe(137);
      await runtime.delete(options.id);
      expect(runtime.leftovers()).toEqual([]);
      await runtime.close();
    }
  },
  60_000 * SLOWNESS,
);

test('a record that names a process which is another one by now is not believed', async () => {
  const runtime = await sandbox.runtime();
  const options = sandbox.options(['true']);
  const task = await runtime.create(options);
  const path = join(sandbox.directory, 'exec/tasks', options.id, 'task.json');
  const record = JSON.parse(readFileSync(path, 'utf8'));
  await runtime.close();
  process.kill(task.monitorPid, 'SIGKILL');
  await eventually('the end of the monitor', () => !alive(task.monitorPid));
  const self = { pid: process.pid, startTime: '1' };
  writeFileSync(path, JSON.stringify({ ...record, init: self, monitor: self }));
  const successor = await sandbox.runtime();
  const stranger = await adopted(successor, options.id);
  expect(await stranger.kill(9)).toBe(false);
  expect((await stranger.exited).exitCode).toBe(137);
  await successor.delete(options.id);
});

test(
  'a daemon killed at random moments of creating: the successor can clean up everything',
  async () => {
    for (let round = 0; round < 15; round += 1) {
      const daemon = await spawnDaemon(sandbox.directory);
      for (let index = 0; index < 4; index += 1) daemon.send(sandbox.options(['sleep', '1000']));
      await Bun.sleep(Math.random() * 60);
      await daemon.kill();
      const runtime = await sandbox.runtime();
      for (const id of runtime.leftovers()) {
        await runtime.recover(id);
        await runtime.delete(id);
      }
      expect(runtime.leftovers()).toEqual([]);
      await eventually('nothing left', () => sandbox.leaks().length === 0);
      await runtime.close();
    }
  },
  60_000 * SLOWNESS,
);
