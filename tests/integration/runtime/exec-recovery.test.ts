import { afterAll, beforeAll, expect, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AdoptedExec, Runtime, Task } from '#runtime';
import { eventually } from '../../harness/eventually.ts';
import { SLOWNESS } from '../../harness/slowness.ts';
import { Sandbox, sys } from './harness.ts';
import { spawnDaemon } from './killed-daemon.ts';

let sandbox: Sandbox;
beforeAll(() => {
  sandbox = new Sandbox();
});
afterAll(async () => {
  await sandbox[Symbol.asyncDispose]();
  expect(sandbox.leaks()).toEqual([]);
});

/** What the next daemon finds. */
async function adopt(id: string): Promise<{ runtime: Runtime; task: Task; execs: Map<string, AdoptedExec> }> {
  const runtime = await sandbox.runtime();
  const task = await runtime.recover(id);
  if (!task) throw new Error(`nothing left of ${id}`);
  const found = task.adoptExecs();
  return { runtime, task, execs: new Map(found.map((exec) => [exec.note ?? '', exec])) };
}

const execFiles = (id: string) => join(sandbox.directory, 'exec/tasks', id, 'execs');
/** The files of the exec with this note. */
function filesOf(id: string, note: string): string {
  const directories = readdirSync(execFiles(id)).map((name) => join(execFiles(id), name));
  const noteOf = (directory: string) => JSON.parse(readFileSync(join(directory, 'exec.json'), 'utf8')).note;
  return directories.find((directory) => noteOf(directory) === note) ?? '';
}
const gate = (name: string) => join(sandbox.rootfs, 'tmp', name);
const waitFor = (name: string, then: string) => [
  'sh',
  '-c',
  `while [ ! -e /tmp/${name} ]; do sleep 0.02; done; ${then}`,
];

/** Names of the execs' cgroups of a container, in all hierarchies. */
function execCgroups(id: string): string[] {
  const mounts = new Set([...sys.cgroups.controllers.values(), sys.cgroups.unified ?? '']);
  const directories = [...mounts].map((mount) => join(mount, sandbox.cgroupParent, id));
  return directories
    .filter((directory) => existsSync(directory))
    .flatMap((directory) => readdirSync(directory).filter((name) => name.startsWith('exec-')));
}

test(
  'a killed daemon: its successor knows the execs, their notes and exit codes, and cleans up after them',
  async () => {
    const daemon = await spawnDaemon(sandbox.directory);
    const options = sandbox.options(['sleep', '1000']);
    await daemon.run(options, [
      sandbox.execOptions(waitFor('ended', 'echo out; exit 41'), { note: 'ends meanwhile' }),
      sandbox.execOptions(
        waitFor('goes', 'i=0; while [ $i -lt 20000 ]; do echo $i; i=$((i+1)); done; exit 42'),
        {
          note: 'ends later',
        },
      ),
      sandbox.execOptions(['sleep', '1000'], { attachOutput: false, note: 'is killed' }),
      sandbox.execOptions(['cat'], { openStdin: true, note: 'loses its input' }),
      sandbox.execOptions(['sleep', '1000'], { terminal: true }),
      sandbox.execOptions(waitFor('ended', 'sleep 1000 & exit 3'), {
        attachOutput: false,
        note: 'left something',
      }),
    ]);
    await daemon.kill();
    writeFileSync(gate('ended'), '');
    for (const note of ['ends meanwhile', 'left something'])
      await eventually(`the exit of '${note}'`, () => existsSync(join(filesOf(options.id, note), 'exit')));
    const { runtime, task, execs } = await adopt(options.id);
    const exitOf = async (note: string) => (await execs.get(note)?.process.exited)?.exitCode;
    expect(await exitOf('ends meanwhile')).toBe(41);
    expect(await exitOf('loses its input')).toBe(0);
    expect(await exitOf('left something')).toBe(3);
    writeFileSync(gate('goes'), '');
    expect(await exitOf('ends later')).toBe(42);
    expect(await execs.get('is killed')?.process.kill(9, { all: true })).toBe(true);
    expect(await exitOf('is killed')).toBe(137);
    const terminal = execs.get('')?.process;
    expect(terminal?.pid).toBeGreaterThan(1);
    await terminal?.resize({ rows: 10, columns: 20 });
    expect(await terminal?.kill(15)).toBe(true);
    expect((await terminal?.exited)?.exitCode).toBe(143);
    expect(await terminal?.kill(15)).toBe(false);
    expect(readdirSync(execFiles(options.id))).toEqual([]);
    // What an exec has left behind keeps its cgroup; the end of any later exec removes it.
    const left = new Set(execCgroups(options.id));
    expect(left.size).toBe(1);
    for (const pid of sys.cgroups.processes(`${sandbox.cgroupParent}/${options.id}/${[...left][0]}`))
      sys.processes.kill(pid, 9);
    const last = await task.exec(sandbox.execOptions(['true'], { attachOutput: false }));
    await last.exited;
    expect(execCgroups(options.id)).toEqual([]);
    expect(task.adoptExecs()).toEqual([]);
    await runtime.delete(options.id);
  },
  60_000 * SLOWNESS,
);

test(
  'a daemon killed at random moments of starting execs: each is adopted or undone',
  async () => {
    for (let round = 0; round < 12; round += 1) {
      const daemon = await spawnDaemon(sandbox.directory);
      const options = sandbox.options(['sleep', '1000']);
      await daemon.run(options, []);
      await daemon.kill();
      const starting = await spawnExecs(options.id);
      await Bun.sleep(Math.random() * 60);
      await starting.kill();
      const { runtime, task, execs } = await adopt(options.id);
      expect(readdirSync(execFiles(options.id)).length).toBe(execs.size);
      const pids = [...execs.values()].map(({ process }) => process.pid);
      await eventually(
        'no process but the adopted',
        () => task.processes().toSorted().join() === [task.pid, ...pids].toSorted().join(),
      );
      for (const { process } of execs.values()) {
        await process.kill(9, { all: true });
        expect((await process.exited).exitCode).toBe(137);
      }
      expect(execCgroups(options.id)).toEqual([]);
      expect(task.processes()).toEqual([task.pid]);
      await runtime.delete(options.id);
      await runtime.close();
    }
  },
  120_000 * SLOWNESS,
);

/** A daemon that adopts the container and starts execs in it, one after the other. */
async function spawnExecs(id: string): Promise<{ kill(): Promise<void> }> {
  const execs = Array.from({ length: 4 }, (_, index) =>
    sandbox.execOptions(['sleep', '1000'], { note: String(index), attachOutput: index % 2 === 0 }),
  );
  const child = Bun.spawn(
    [
      process.execPath,
      join(import.meta.dir, 'fixtures/exec-daemon.ts'),
      join(sandbox.directory, 'exec'),
      join(sandbox.directory, 'cache'),
      JSON.stringify({ id, execs }),
    ],
    { stdout: 'pipe', stderr: 'inherit' },
  );
  await child.stdout.getReader().read();
  return {
    async kill() {
      child.kill('SIGKILL');
      await child.exited;
    },
  };
}

test('an interrupted removal is finished and harms nothing that the exec has left behind', async () => {
  const runtime = await sandbox.runtime();
  const options = sandbox.options(['sleep', '1000']);
  const task = await runtime.create(options);
  await task.start();
  const exec = sandbox.execOptions(['sh', '-c', 'sleep 1000 & exit 0'], { attachOutput: false });
  await (await task.exec(exec)).exited;
  const left = task.processes();
  expect(left.length).toBe(2);
  mkdirSync(join(execFiles(options.id), `over-${exec.execId}`));
  await runtime.close();
  const successor = await adopt(options.id);
  expect(readdirSync(execFiles(options.id))).toEqual([]);
  expect(successor.task.processes()).toEqual(left);
  await successor.runtime.delete(options.id);
  await successor.runtime.close();
});

test('a lost monitor of an exec: its process is known until it ends', async () => {
  const runtime = await sandbox.runtime();
  const options = sandbox.options(['sleep', '1000']);
  const task = await runtime.create(options);
  await task.start();
  const exec = await task.exec(sandbox.execOptions(['sleep', '1000'], { attachOutput: false }));
  const [directory = ''] = readdirSync(execFiles(options.id));
  const record = JSON.parse(readFileSync(join(execFiles(options.id), directory, 'exec.json'), 'utf8'));
  let ended = false;
  void exec.exited.then(() => {
    ended = true;
  });
  process.kill(record.monitor.pid, 'SIGKILL');
  await eventually('the end of the monitor', () => !existsSync(`/proc/${record.monitor.pid}`));
  expect(ended).toBe(false);
  expect(await exec.kill(9)).toBe(true);
  expect((await exec.exited).exitCode).toBe(137);
  await runtime.delete(options.id);
  await runtime.close();
});
