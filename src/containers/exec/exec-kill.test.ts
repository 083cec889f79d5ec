import { afterEach, beforeEach, expect, test } from 'bun:test';
import {
  type ContainersFixture,
  createContainersFixture,
  createRequestFixture,
  execConfigFixture,
} from '../testing/index.ts';
import { EndedExecs } from './ended-execs.ts';

let fixture: ContainersFixture;
beforeEach(async () => {
  fixture = await createContainersFixture();
});
afterEach(async () => {
  await fixture[Symbol.asyncDispose]();
});

const EXEC = execConfigFixture();

test('killExec: all by default, the process alone on request; texts', async () => {
  const { containers, runtime } = fixture;
  const { id } = await containers.create(createRequestFixture({ name: 'web' }));
  await containers.start(id);
  const exec = containers.createExec('web', EXEC).id;
  await expect(containers.killExec(exec)).rejects.toThrow(`exec ${exec} is not running`);
  await containers.startExec(exec, { detach: true }).run(undefined);
  const process = [...runtime.task(id).execs.values()][0];
  await containers.killExec(exec, { signal: 'SIGWINCH', all: false });
  expect([process?.signals, process?.signalsToAll]).toEqual([[28], []]);
  await containers.killExec(exec);
  expect(process?.signalsToAll).toEqual([9]);
  expect(() => containers.killExec(exec, { signal: 'NONE' })).toThrow('nvalid signal');
  await expect(containers.killExec('ghost')).rejects.toThrow('No such exec instance: ghost');
  expect(fixture.actions()).toContain('exec_kill');
});

test('killExec: a signal during the start waits for the process', async () => {
  const { containers, runtime } = fixture;
  const { id } = await containers.create(createRequestFixture({ name: 'web' }));
  await containers.start(id);
  const exec = containers.createExec('web', EXEC).id;
  const running = containers.startExec(exec, { detach: true }).run(undefined);
  await containers.killExec(exec, { signal: 'SIGTERM', all: false });
  await running;
  expect([...runtime.task(id).execs.values()][0]?.signals).toEqual([15]);
});

test('createExec: what was prepared is gone with the run, what has run can be inspected', async () => {
  const { containers, runtime } = fixture;
  const { id } = await containers.create(createRequestFixture({ name: 'web' }));
  await containers.start(id);
  const [prepared, run] = [containers.createExec('web', EXEC).id, containers.createExec('web', EXEC).id];
  await containers.startExec(run, { detach: true }).run(undefined);
  runtime.task(id).exit(0);
  await containers.wait(id, 'not-running').exit;
  expect(() => containers.exec(prepared)).toThrow(`No such exec instance: ${prepared}`);
  expect(containers.exec(run)).toMatchObject({ running: false, exitCode: 137 });
  await containers.start(id);
  expect(containers.get(id).execIds).toEqual([]);
});

test('EndedExecs: keeps a bounded number, the newest', () => {
  const expired: string[] = [];
  const ended = new EndedExecs((id) => expired.push(id));
  for (let n = 0; n < 1002; n += 1) ended.keep(String(n));
  expect([ended.count, expired]).toEqual([1000, ['0', '1']]);
  ended.close();
  expect([ended.count, expired.length]).toEqual([0, 2]);
});
