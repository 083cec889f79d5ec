import { afterEach, beforeEach, expect, test } from 'bun:test';
import {
  type ContainersFixture,
  createContainersFixture,
  createFakeClient,
  createRequestFixture,
  execConfigFixture,
} from '../testing/index.ts';
import type { ContainerService, ExecConfig } from '../types.ts';
import { encodeNote, tryDecodeNote } from './exec-note.ts';

let fixture: ContainersFixture;
beforeEach(async () => {
  fixture = await createContainersFixture();
});
afterEach(async () => {
  await fixture[Symbol.asyncDispose]();
});

const EXEC = execConfigFixture({
  attachStdout: true,
  attachStderr: true,
  detachKeys: 'ctrl-a',
  env: ['A=1'],
  cmd: ['sleep', '1'],
  user: 'web',
  workingDir: '/srv',
});
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

async function startContainer(labels: Record<string, string> = {}): Promise<string> {
  const { id } = await fixture.containers.create(createRequestFixture({ name: 'web', config: { labels } }));
  await fixture.containers.start(id);
  return id;
}

/** An exec with a client. `client.vanish` breaks the connection. */
function attach(containers: ContainerService, config: ExecConfig) {
  const { id } = containers.createExec('web', config);
  const client = createFakeClient();
  const done = containers.startExec(id, { detach: false }).run(client);
  return { id, client, done };
}

test('a successor shows the execs of a killed daemon, and reports their ends', async () => {
  const id = await startContainer();
  const { id: exec } = fixture.containers.createExec('web', EXEC);
  await fixture.containers.startExec(exec, { detach: true }).run(undefined);
  const before = fixture.containers.exec(exec);
  const successor = await fixture.successor();
  expect(successor.exec(exec)).toEqual(before);
  expect(successor.get(id).execIds).toEqual([exec]);
  expect(() => successor.startExec(exec, { detach: true })).toThrow('is already running');
  fixture.runtime.task(id).execs.get(exec)?.exit(7);
  await turn();
  expect(successor.exec(exec)).toMatchObject({ running: false, exitCode: 7, pid: before.pid });
  expect(successor.get(id).execIds).toEqual([]);
  expect(fixture.actions().filter((action) => action === 'exec_die').length).toBeGreaterThan(0);
});

test('a successor ends what was to end with its client, attached ones only', async () => {
  const id = await startContainer();
  const config = { ...EXEC, killOnDisconnect: true };
  const { id: attached } = attach(fixture.containers, config);
  const { id: detached } = fixture.containers.createExec('web', config);
  await fixture.containers.startExec(detached, { detach: true }).run(undefined);
  const { execs } = fixture.runtime.task(id);
  while (!execs.has(attached)) await turn();
  await fixture.successor();
  await turn();
  expect(execs.get(attached)?.signalsToAll).toEqual([9]);
  expect(execs.get(detached)?.signalsToAll).toEqual([]);
});

test('killOnDisconnect: parameter, label, neither', async () => {
  const id = await startContainer({ 'gantry.exec.kill-on-disconnect': 'true' });
  const { containers, runtime } = fixture;
  const signalsAfterLoss = async (config: ExecConfig) => {
    const { id: exec, client, done } = attach(containers, config);
    while (!runtime.task(id).execs.has(exec)) await turn();
    client.vanish();
    await done;
    await turn();
    return runtime.task(id).execs.get(exec)?.signalsToAll;
  };
  expect(await signalsAfterLoss(EXEC)).toEqual([9]);
  expect(await signalsAfterLoss({ ...EXEC, killOnDisconnect: false })).toEqual([]);
  expect(await signalsAfterLoss({ ...EXEC, killOnDisconnect: true })).toEqual([9]);
});

test('killOnDisconnect: the detach keys leave the process running', async () => {
  const id = await startContainer();
  const { containers, runtime } = fixture;
  const tty = { ...EXEC, tty: true, attachStdin: true, killOnDisconnect: true };
  const { id: exec, client, done } = attach(containers, tty);
  client.type('\x01');
  await done;
  expect(runtime.task(id).execs.get(exec)?.signalsToAll).toEqual([]);
  expect(fixture.actions()).toContain('exec_detach');
});

test('tryDecodeNote: gives back what was encoded, nothing for anything else', () => {
  expect(tryDecodeNote(encodeNote(EXEC, true))).toEqual({ version: 1, config: EXEC, isAttached: true });
  const broken = [{ ...EXEC, cmd: 'x' }, { ...EXEC, tty: 1 }, null].map((config) =>
    JSON.stringify({ version: 1, isAttached: true, config }),
  );
  for (const text of [undefined, '', '{', 'null', '{"version":2}', ...broken])
    expect(tryDecodeNote(text)).toBeUndefined();
});
