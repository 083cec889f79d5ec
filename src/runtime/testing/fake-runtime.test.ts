import { expect, test } from 'bun:test';
import type { Spec } from '#oci';
import type { TaskOptions } from '../types.ts';
import { createFakeRuntime } from './fake-runtime.ts';

const options = (id: string): TaskOptions => ({
  id,
  spec: {} as Spec,
  terminal: false,
  openStdin: true,
  stdinOnce: true,
  logPath: undefined,
});

test('createFakeRuntime: output reaches an attach made before, in order, and ends with the task', async () => {
  const runtime = createFakeRuntime();
  const task = await runtime.create(options('a'));
  const stream = await task.attach();
  task.emit('stdout', 'one');
  const seen: string[] = [];
  stream.onOutput((name, chunk) => seen.push(`${name}:${Buffer.from(chunk)}`));
  task.emit('stderr', 'two');
  runtime.task('a').exit(3);
  await stream.ended;
  expect(seen).toEqual(['stdout:one', 'stderr:two']);
  expect((await task.exited).exitCode).toBe(3);
});

test('createFakeRuntime: a fatal signal ends the task, an ignored one does not', async () => {
  const runtime = createFakeRuntime();
  const task = await runtime.create(options('b'));
  task.ignoredSignals.add(15);
  expect(await task.kill(15)).toBe(true);
  expect(task.hasExited).toBe(false);
  expect(await task.kill(9)).toBe(true);
  expect((await task.exited).exitCode).toBe(137);
  expect(await task.kill(9)).toBe(false);
});

test('createFakeRuntime: delete forgets the task and a second recover finds nothing', async () => {
  const runtime = createFakeRuntime();
  await runtime.create(options('c'));
  expect((await runtime.recover('c'))?.id).toBe('c');
  await runtime.delete('c');
  expect(await runtime.recover('c')).toBeUndefined();
  expect(runtime.leftovers()).toEqual([]);
});
