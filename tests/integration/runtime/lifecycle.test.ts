import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { createId, errorCode } from '#base';
import type { Runtime, TaskOptions } from '#runtime';
import { eventually } from '../../harness/eventually.ts';
import { SLOWNESS } from '../../harness/slowness.ts';
import { run, Sandbox, sys } from './harness.ts';

/** What the kernel says of a container's cgroup. */
function isFrozen({ spec }: TaskOptions): boolean {
  const path = spec.linux.cgroupsPath ?? '';
  if (sys.cgroups.mode === 'unified')
    return /^frozen 1$/m.test(sys.cgroups.read('', path, 'cgroup.events') ?? '');
  return sys.cgroups.read('freezer', path, 'freezer.state') === 'FROZEN';
}

describe.each(['crun', 'runc'])('%s', (name) => {
  let sandbox: Sandbox;
  let runtime: Runtime;
  beforeAll(async () => {
    sandbox = new Sandbox();
    runtime = await sandbox.runtime({ defaultRuntime: name });
  });
  afterAll(async () => {
    await sandbox[Symbol.asyncDispose]();
    expect(sandbox.leaks()).toEqual([]);
  });

  test('create, start, exit: streams apart, exit code, log', async () => {
    const options = sandbox.options(['sh', '-c', 'echo out; echo err >&2; exit 7']);
    const result = await run(runtime, options);
    expect(result).toMatchObject({ stdout: 'out\n', stderr: 'err\n', exitCode: 7 });
    expect(sandbox.logged(options.id, 'stdout')).toBe('out\n');
    expect(sandbox.logged(options.id, 'stderr')).toBe('err\n');
    expect(Date.parse((await result.task.exited).exitedAt)).toBeGreaterThan(Date.now() - 60_000);
  });

  test.each([
    [['nosuch'], 127, 'exec: "nosuch": executable file not found in $PATH: unknown'],
    [['/bin/nosuch'], 127, 'exec: "/bin/nosuch": stat /bin/nosuch: no such file or directory: unknown'],
    [['/etc/passwd'], 126, 'exec: "/etc/passwd": permission denied: unknown'],
    [['/etc'], 126, 'exec: "/etc": permission denied: unknown'],
  ])('a command that cannot run: %j', async (args, exitCode, text) => {
    const options = sandbox.options(args);
    const failure = await runtime.create(options).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'invalid_argument',
      details: { exitCode },
      message: `failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: ${text}`,
    });
    expect(runtime.leftovers()).not.toContain(options.id);
    expect(existsSync(join(sandbox.directory, 'exec/state', name, options.id))).toBe(false);
    for (const mount of new Set(sys.cgroups.controllers.values()))
      expect(existsSync(join(mount, sandbox.cgroupParent, options.id))).toBe(false);
    expect(sandbox.leaks()).toEqual([]);
  });

  test('kill: a fatal signal ends it, a handled one does not, a gone one says so', async () => {
    const script = 'trap "echo got" USR1; echo ready; while :; do sleep 0.05; done';
    const options = sandbox.options(['sh', '-c', script]);
    const task = await runtime.create(options);
    const stream = await task.attach();
    const seen = Promise.withResolvers<void>();
    let text = '';
    stream.onOutput(async (_, chunk) => {
      text += Buffer.from(chunk);
      if (text === 'ready\n') expect(await task.kill(10)).toBe(true);
      if (text.endsWith('got\n')) seen.resolve();
    });
    await task.start();
    await seen.promise;
    expect(await task.kill(9)).toBe(true);
    expect((await task.exited).exitCode).toBe(137);
    expect(await task.kill(9)).toBe(false);
    await runtime.delete(options.id);
  });

  test('pause stops all processes, resume lets them go on, SIGKILL ends a paused one', async () => {
    const options = sandbox.options(['sh', '-c', 'while :; do echo x; sleep 0.01; done']);
    const task = await runtime.create(options);
    let count = 0;
    const flowing = () => new Promise<void>((resolve) => onChunk.add(resolve));
    const onChunk = new Set<() => void>();
    const stream = await task.attach();
    stream.onOutput(() => {
      count += 1;
      for (const resolve of onChunk) resolve();
      onChunk.clear();
    });
    await task.start();
    await flowing();
    await task.pause();
    expect(isFrozen(options)).toBe(true);
    // What was written before may still arrive; then nothing more.
    await eventually('silence', async () => {
      const before = count;
      await Bun.sleep(100);
      return count === before;
    });
    await task.resume();
    expect(isFrozen(options)).toBe(false);
    await flowing();
    await task.pause();
    await task.kill(9);
    expect((await task.exited).exitCode).toBe(137);
    await runtime.delete(options.id);
  });

  test('update changes limits up and down', async () => {
    const options = sandbox.options(['sleep', '100'], {
      resources: { memory: { limit: 64 << 20, swap: 64 << 20 } },
    });
    const task = await runtime.create(options);
    const isV2 = sys.cgroups.mode === 'unified';
    const read = (controller: string, file: string) =>
      sys.cgroups.read(controller, options.spec.linux.cgroupsPath ?? '', file);
    const limit = () => read('memory', isV2 ? 'memory.max' : 'memory.limit_in_bytes');
    await task.start();
    expect(limit()).toBe(String(64 << 20));
    await task.update({ memory: { limit: 128 << 20, swap: 128 << 20 } });
    expect(limit()).toBe(String(128 << 20));
    await task.update({ memory: { limit: 32 << 20, swap: 32 << 20 }, cpu: { shares: 512 } });
    expect(limit()).toBe(String(32 << 20));
    // A weight of 1 to 10,000 stands for shares of 2 to 262,144.
    expect(read('cpu', isV2 ? 'cpu.weight' : 'cpu.shares')).toBe(isV2 ? '20' : '512');
    const processes = () => read('pids', 'pids.max');
    await task.update({ pids: { limit: 50 } });
    expect(processes()).toBe('50');
    await task.update({ pids: { limit: -1 } });
    expect(processes()).toBe('max');
    await runtime.delete(options.id);
  });

  test('a process killed for memory is reported', async () => {
    const limits = { resources: { memory: { limit: 16 << 20, swap: 16 << 20 } } };
    const result = await run(
      runtime,
      sandbox.options(['sh', '-c', 'x=$(yes | head -c 60000000); echo $?'], limits),
    );
    expect((await result.task.exited).oomKilled).toBe(true);
  });

  test('processes: init and what it started; delete ends them all, twice', async () => {
    const options = sandbox.options(['sh', '-c', 'sleep 100 & sleep 100 & echo; wait']);
    const task = await runtime.create(options);
    const started = Promise.withResolvers<void>();
    (await task.attach()).onOutput(() => started.resolve());
    await task.start();
    await started.promise;
    expect(task.processes()).toContain(task.pid);
    expect(task.processes()).toHaveLength(3);
    await runtime.delete(options.id);
    await runtime.delete(options.id);
    expect((await task.exited).exitCode).toBe(137);
  });

  test('a second container with the id of a living one is refused and does it no harm', async () => {
    const options = sandbox.options(['sleep', '100']);
    const task = await runtime.create(options);
    expect(errorCode(await runtime.create(options).catch((error: unknown) => error))).toBe('conflict');
    await task.start();
    expect(task.processes()).toEqual([task.pid]);
    await runtime.delete(options.id);
  });

  test('reopenLog: lines after the renaming are in the new file, none is lost', async () => {
    const options = sandbox.options(['cat'], {}, { openStdin: true, stdinOnce: true });
    const task = await runtime.create(options);
    const stream = await task.attach();
    const echoed = (wanted: string) =>
      new Promise<void>((resolve) => {
        stream.onOutput((_, chunk) => {
          if (Buffer.from(chunk).toString() === wanted) resolve();
        });
      });
    await task.start();
    const first = echoed('one\n');
    await stream.write(Buffer.from('one\n'));
    await first;
    const path = sandbox.logPath(options.id);
    renameSync(path, `${path}.1`);
    await task.reopenLog();
    const second = echoed('two\n');
    await stream.write(Buffer.from('two\n'));
    await second;
    stream.closeInput();
    expect((await task.exited).exitCode).toBe(0);
    expect(sandbox.logged(options.id, 'stdout')).toBe('two\n');
    expect(sandbox.logged(`${options.id}.log.1`.replace('.log.1', ''), 'stderr')).toBe('');
    await runtime.delete(options.id);
  });
});

test('createRuntime: an unknown default runtime and an unknown runtime of a container are refused', async () => {
  await using sandbox = new Sandbox();
  const failure = await sandbox.runtime({ defaultRuntime: 'nope' }).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'invalid_argument' });
  const runtime = await sandbox.runtime();
  const options = sandbox.options(['true'], {}, { runtime: 'nope' });
  await expect(runtime.create(options)).rejects.toThrow('unknown or invalid runtime name: nope');
  expect(runtime.leftovers()).toEqual([]);
});

test('a runtime that hangs: its call ends at the deadline, others are not held up, nothing is left', async () => {
  await using sandbox = new Sandbox();
  const script = join(sandbox.directory, 'stuck');
  await Bun.write(script, '#!/bin/sh\nexec sleep 1000\n');
  const { chmodSync } = await import('node:fs');
  chmodSync(script, 0o755);
  const runtime = await sandbox.runtime({
    addRuntimes: { stuck: { path: script } },
    deadlines: { createMs: 1000 * SLOWNESS, commandMs: 500 * SLOWNESS },
  });
  const stuck = sandbox.options(['true'], {}, { runtime: 'stuck' });
  const creating = runtime.create(stuck).catch((error: unknown) => error);
  expect((await run(runtime, sandbox.options(['echo', 'quick']))).stdout).toBe('quick\n');
  expect(errorCode(await creating)).toBe('deadline_exceeded');
  expect(runtime.leftovers()).toEqual([]);
  expect(sandbox.leaks()).toEqual([]);
});

test('leftovers: lists what an interrupted daemon left, and delete takes it away', async () => {
  await using sandbox = new Sandbox();
  const runtime = await sandbox.runtime();
  const id = createId();
  await Bun.write(join(sandbox.directory, 'exec/tasks', id, 'config.json'), '{}');
  expect(runtime.leftovers()).toEqual([id]);
  expect(await runtime.recover(id)).toBeUndefined();
  await runtime.delete(id);
  expect(readdirSync(join(sandbox.directory, 'exec/tasks'))).toEqual([]);
});
