import { afterEach, beforeEach, expect, test } from 'bun:test';
import { existsSync, writeFileSync } from 'node:fs';
import type { ContainerConfig, HostConfig } from './model.ts';
import {
  type ContainersFixture,
  createContainersFixture,
  createFakeClient,
  createRequestFixture,
  execConfigFixture,
} from './testing/index.ts';
import type { AttachOptions } from './types.ts';

let fixture: ContainersFixture;
beforeEach(async () => {
  fixture = await createContainersFixture();
});
afterEach(async () => {
  await fixture[Symbol.asyncDispose]();
});

const ALL: AttachOptions = {
  stdin: true,
  stdout: true,
  stderr: true,
  logs: false,
  stream: true,
  detachKeys: '',
};
const create = async (config: Partial<ContainerConfig> = {}, hostConfig: Partial<HostConfig> = {}) =>
  (await fixture.containers.create(createRequestFixture({ config, hostConfig }))).id;
/** Lets what is already under way happen. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('attach before start: every byte arrives, also of a process that ends at once', async () => {
  const id = await create();
  const client = createFakeClient();
  const done = fixture.containers.attach(id, ALL).run(client);
  fixture.runtime.onCreate = (task) => {
    task.start = async () => {
      task.emit('stdout', 'out\n');
      task.emit('stderr', 'err\n');
      task.exit(0);
    };
  };
  await fixture.containers.start(id);
  await done;
  expect(client.chunks.map(({ stream }) => stream)).toEqual(['stdout', 'stderr']);
  expect(client.output).toBe('out\nerr\n');
});

test('attach: only the wanted stream; a second client joins a running container', async () => {
  const id = await create();
  const early = createFakeClient();
  const done = fixture.containers.attach(id, { ...ALL, stderr: false }).run(early);
  await fixture.containers.start(id);
  const task = fixture.runtime.task(id);
  task.emit('stdout', 'one ');
  const late = createFakeClient();
  const lateDone = fixture.containers.attach(id, ALL).run(late);
  await turn();
  task.emit('stderr', 'two');
  task.exit(0);
  await Promise.all([done, lateDone]);
  expect(early.output).toBe('one ');
  expect(late.output).toBe('two');
});

test('attach: input typed before the start reaches the process; its end closes stdin once', async () => {
  const id = await create({ openStdin: true, stdinOnce: true, attachStdin: true });
  const client = createFakeClient();
  const done = fixture.containers.attach(id, ALL).run(client);
  client.type('hello');
  await fixture.containers.start(id);
  const task = fixture.runtime.task(id);
  client.endInput();
  while (!task.streams.inputClosed) await turn();
  expect(task.streams.input).toBe('hello');
  task.emit('stdout', 'still here');
  task.exit(0);
  await done;
  expect(client.output).toBe('still here');
});

test('attach: without stdinOnce the end of the input ends the attachment and leaves stdin open', async () => {
  const id = await create({ openStdin: true });
  await fixture.containers.start(id);
  const client = createFakeClient();
  const done = fixture.containers.attach(id, ALL).run(client);
  client.endInput();
  await done;
  expect(fixture.runtime.task(id).streams.inputClosed).toBe(false);
});

test('attach: the detach keys leave the process running', async () => {
  const id = await create({ tty: true, openStdin: true });
  await fixture.containers.start(id);
  const client = createFakeClient();
  const done = fixture.containers.attach(id, { ...ALL, detachKeys: 'ctrl-a,d' }).run(client);
  client.type('x\x01');
  client.type('d');
  await done;
  expect(fixture.runtime.task(id).streams.input).toBe('x');
  expect(fixture.actions()).toContain('detach');
  expect(fixture.containers.get(id).state.status).toBe('running');
});

test('attach: a client that vanishes ends its attachment only', async () => {
  const id = await create();
  await fixture.containers.start(id);
  const client = createFakeClient();
  const done = fixture.containers.attach(id, ALL).run(client);
  client.vanish();
  await done;
  expect(fixture.containers.get(id).state.status).toBe('running');
});

test('attach with logs: the log, then what follows, nothing twice', async () => {
  const id = await create();
  await fixture.containers.start(id);
  const { logPath } = fixture.containers.get(id);
  const line = (text: string) => `2026-01-02T03:04:05.000000000+00:00 stdout F ${text}\n`;
  writeFileSync(logPath, line('past'));
  const client = createFakeClient();
  const done = fixture.containers.attach(id, { ...ALL, logs: true }).run(client);
  while (client.output !== 'past\n') await turn();
  writeFileSync(logPath, line('now'), { flag: 'a' });
  fixture.runtime.task(id).exit(0);
  await done;
  expect(client.output).toBe('past\nnow\n');
});

test('attach with logs before start: what an earlier run left, then the run to come', async () => {
  const id = await create();
  await fixture.containers.start(id);
  const { logPath } = fixture.containers.get(id);
  const line = (text: string) => `2026-01-02T03:04:05.000000000+00:00 stdout F ${text}\n`;
  writeFileSync(logPath, line('past'));
  fixture.runtime.task(id).exit(0);
  while (fixture.containers.get(id).state.status !== 'exited') await turn();
  const client = createFakeClient();
  const done = fixture.containers.attach(id, { ...ALL, logs: true }).run(client);
  while (client.output !== 'past\n') await turn();
  await fixture.containers.start(id);
  writeFileSync(logPath, line('now'), { flag: 'a' });
  fixture.runtime.task(id).exit(0);
  await done;
  expect(client.output).toBe('past\nnow\n');
});

test('attach with logs before the first start follows that run', async () => {
  const id = await create();
  const client = createFakeClient();
  const done = fixture.containers.attach(id, { ...ALL, logs: true }).run(client);
  await turn();
  await fixture.containers.start(id);
  writeFileSync(fixture.containers.get(id).logPath, '2026-01-02T03:04:05+00:00 stdout F first\n');
  fixture.runtime.task(id).exit(0);
  await done;
  expect(client.output).toBe('first\n');
});

test('attach with logs: input still reaches the process', async () => {
  const id = await create({ openStdin: true });
  await fixture.containers.start(id);
  writeFileSync(fixture.containers.get(id).logPath, '');
  const client = createFakeClient();
  const done = fixture.containers.attach(id, { ...ALL, logs: true }).run(client);
  client.type('typed');
  const { streams } = fixture.runtime.task(id);
  while (streams.input !== 'typed') await turn();
  client.vanish();
  await done;
});

test('attach: refusals with docker’s texts', async () => {
  const id = await create();
  expect(() => fixture.containers.attach(id, { ...ALL, detachKeys: 'ctrl-' })).toThrow(
    'Invalid detach keys (ctrl-) provided',
  );
  await fixture.containers.start(id);
  await fixture.containers.pause(id);
  expect(() => fixture.containers.attach(id, ALL)).toThrow(
    `container ${id} is paused, unpause the container before attach`,
  );
});

test('logs: refusals, and none for the driver none', async () => {
  const options = { stdout: false, stderr: false, follow: false, timestamps: false, details: false };
  const id = await create({}, { logConfig: { type: 'none', config: {} } });
  expect(() => fixture.containers.logs(id, options)).toThrow('You must choose at least one stream');
  expect(() => fixture.containers.logs(id, { ...options, stdout: true })).toThrow(
    'configured logging driver does not support reading',
  );
  await fixture.containers.start(id);
  expect(fixture.runtime.task(id).options.logPath).toBeUndefined();
});

const EXEC = execConfigFixture({
  attachStdin: true,
  attachStdout: true,
  attachStderr: true,
  env: ['B=2'],
  cmd: ['cat', '-u'],
  user: 'web',
});

test('exec: streams, user, variables, exit code, events', async () => {
  const { containers, runtime } = fixture;
  const id = await create({ env: ['A=1'], workingDir: '/srv' });
  await containers.start(id);
  const { id: execId } = containers.createExec(id, EXEC);
  expect(containers.exec(execId)).toMatchObject({ running: false, exitCode: undefined, pid: 0 });
  runtime.task(id).onExec = (exec) => {
    exec.streams.onInput = (chunk) => exec.emit('stdout', chunk);
  };
  const client = createFakeClient();
  const done = containers.startExec(execId, { detach: false }).run(client);
  client.type('ping');
  while (client.output !== 'ping') await turn();
  const exec = runtime.task(id).execs.get(execId);
  expect(containers.get(id).execIds).toEqual([execId]);
  expect(exec?.options.process).toMatchObject({ uid: 33, additionalGids: [33, 4], cwd: '/srv' });
  expect(exec?.options.process.env).toEqual(expect.arrayContaining(['A=1', 'B=2', 'HOME=/var/www']));
  client.endInput();
  while (!exec?.streams.inputClosed) await turn();
  exec.exit(9);
  await done;
  expect(containers.exec(execId)).toMatchObject({ running: false, exitCode: 9 });
  expect(containers.get(id).execIds).toEqual([]);
  expect(fixture.actions().slice(2)).toEqual(['exec_create: cat -u', 'exec_start: cat -u', 'exec_die']);
});

test('exec: the exit code is there when the output ends', async () => {
  const { containers, runtime } = fixture;
  const id = await create();
  await containers.start(id);
  const { id: execId } = containers.createExec(id, { ...EXEC, attachStdin: false });
  runtime.task(id).onExec = (exec) => {
    exec.emit('stdout', 'done');
    exec.exit(4);
  };
  const client = createFakeClient();
  await containers.startExec(execId, { detach: false }).run(client);
  expect(client.output).toBe('done');
  expect(containers.exec(execId).exitCode).toBe(4);
});

test('exec: refusals with docker’s texts', async () => {
  const { containers, runtime } = fixture;
  const id = await create();
  expect(() => containers.createExec(id, EXEC)).toThrow(`container ${id} is not running`);
  expect(() => containers.exec('nope')).toThrow('No such exec instance: nope');
  await containers.start(id);
  expect(() => containers.createExec(id, { ...EXEC, cmd: [] })).toThrow('No exec command specified');
  const { id: execId } = containers.createExec(id, EXEC);
  await containers.startExec(execId, { detach: true }).run(undefined);
  const again = () => containers.startExec(execId, { detach: true });
  expect(again).toThrow(`exec command ${execId} is already running`);
  runtime.task(id).execs.get(execId)?.exit(0);
  await turn();
  expect(again).toThrow(`exec command ${execId} has already run`);
  await containers.pause(id);
  expect(() => containers.createExec(id, EXEC)).toThrow('is paused, unpause the container before exec');
});

test('exec: a command that cannot start leaves its code and throws', async () => {
  const { containers, runtime } = fixture;
  const id = await create();
  await containers.start(id);
  const { id: execId } = containers.createExec(id, EXEC);
  runtime.task(id).execError = new Error('no such file');
  const start = containers.startExec(execId, { detach: false });
  await expect(start.run(createFakeClient())).rejects.toThrow('no such file');
  expect(containers.exec(execId).exitCode).toBe(126);
});

test('exec: goes with the container', async () => {
  const { containers } = fixture;
  const id = await create();
  await containers.start(id);
  const { id: execId } = containers.createExec(id, EXEC);
  await containers.remove(id, { force: true });
  expect(() => containers.exec(execId)).toThrow('No such exec instance');
  expect(existsSync(fixture.dataRoot)).toBe(true);
});
