import { afterEach, beforeEach, expect, test } from 'bun:test';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { invalidArgument } from '#base';
import type { ContainerConfig, HostConfig } from './model.ts';
import { type ContainersFixture, createContainersFixture, createRequestFixture } from './testing/index.ts';

let fixture: ContainersFixture;
beforeEach(async () => {
  fixture = await createContainersFixture();
});
afterEach(async () => {
  await fixture[Symbol.asyncDispose]();
});

interface Given {
  readonly name?: string;
  readonly config?: Partial<ContainerConfig>;
  readonly hostConfig?: Partial<HostConfig>;
}
const create = async (given: Given = {}) => (await fixture.containers.create(createRequestFixture(given))).id;
const run = async (given: Given = {}) => {
  const id = await create(given);
  await fixture.containers.start(id);
  return id;
};
const status = (id: string) => fixture.containers.get(id).state.status;
const NOTHING = { directories: [], snapshots: [], volumes: [] };

test('a run from create to removal: states, events, files, nothing left', async () => {
  const { containers, runtime, network, snapshotter } = fixture;
  const id = await create({ name: 'web', hostConfig: { networkMode: 'bridge' } });
  expect(status(id)).toBe('created');
  await containers.start('web');
  const view = containers.get(id);
  expect(view.state).toMatchObject({ status: 'running', pid: 1000 });
  expect(readFileSync(view.hostnamePath, 'utf8')).toBe(`${id.slice(0, 12)}\n`);
  expect(readFileSync(view.hostsPath, 'utf8')).toContain(view.sandbox?.endpoints[0]?.ipv4Address ?? '?');
  const waiting = containers.wait(id, 'not-running');
  runtime.task(id).exit(7);
  expect(await waiting.exit).toEqual({ exitCode: 7 });
  expect(containers.get(id).state).toMatchObject({ status: 'exited', exitCode: 7 });
  expect(network.sandbox(id)).toBeUndefined();
  expect(snapshotter.mounted.size).toBe(0);
  await containers.remove(id);
  expect(fixture.actions()).toEqual(['create', 'start', 'die', 'destroy']);
  expect(fixture.leftovers()).toEqual(NOTHING);
});

test('exit: the log is there although the run ended in the middle of a rotation', async () => {
  const id = await run();
  const { logPath } = fixture.containers.get(id);
  rmSync(logPath, { force: true });
  fixture.runtime.task(id).exit(0);
  await fixture.containers.wait(id, 'not-running').exit;
  expect(readFileSync(logPath, 'utf8')).toBe('');
});

test('exit: a code that nobody could see is marked as unknown, in the state and in the event', async () => {
  const id = await run();
  const { exit } = fixture.containers.wait(id, 'not-running');
  fixture.runtime.task(id).exit(137, { unknownReason: 'the monitor was lost' });
  expect(await exit).toEqual({ exitCode: 137 });
  const error = 'exit status unknown: the monitor was lost';
  expect(fixture.containers.get(id).state).toMatchObject({ status: 'exited', exitCode: 137, error });
  const died = fixture.bus.history().find(({ action }) => action === 'die');
  expect(died?.attributes).toMatchObject({ exitCode: '137', 'gantry.exit.error': error });
});

test('start: a start that cannot be stored is undone', async () => {
  const id = await create();
  fixture.storeError = new Error('database or disk is full');
  await expect(fixture.containers.start(id)).rejects.toThrow('database or disk is full');
  fixture.storeError = undefined;
  expect(fixture.runtime.tasks.size).toBe(0);
  expect(status(id)).toBe('created');
  await fixture.containers.start(id);
  expect(status(id)).toBe('running');
});

test('start: the phases of the start are measured and told in the event', async () => {
  const id = await run();
  const trace = fixture.containers.get(id).lastStartTrace;
  expect(trace?.total).toBeGreaterThan(0);
  const event = fixture.bus.history().find(({ action }) => action === 'start');
  expect(event?.attributes['gantry.start.total']).toBe(String(trace?.total));
});

test('start: what the runtime gets says who, where and what', async () => {
  const id = await run({
    config: { user: 'web', env: ['A=b', 'PATH=/x'], workingDir: '/srv', cmd: ['sleep', '1'], tty: true },
    hostConfig: { memory: 64 * 1024 * 1024, pidsLimit: 10, groupAdd: ['www', '99'], capDrop: ['ALL'] },
  });
  const { spec, terminal } = fixture.runtime.task(id).options;
  expect(terminal).toBe(true);
  expect(spec.process.user).toMatchObject({ uid: 33, gid: 33, additionalGids: [33, 4, 99] });
  expect(spec.process.args).toEqual(['sleep', '1']);
  expect(spec.process.cwd).toBe('/srv');
  expect(spec.process.env).toEqual([
    'PATH=/x',
    `HOSTNAME=${id.slice(0, 12)}`,
    'TERM=xterm',
    'A=b',
    'HOME=/var/www',
  ]);
  expect(spec.process.capabilities?.effective).toEqual([]);
  expect(spec.linux.resources?.memory).toEqual({ limit: 67108864, swap: 134217728 });
  expect(spec.linux.resources?.pids).toEqual({ limit: 10 });
  expect(spec.linux.cgroupsPath).toBe(`/gantry/${id}`);
});

test('start: a running container answers not_modified, a missing one not_found', async () => {
  const id = await run();
  await expect(fixture.containers.start(id)).rejects.toMatchObject({ code: 'not_modified' });
  await expect(fixture.containers.start('nope')).rejects.toThrow('No such container: nope');
});

test('start: a failure keeps docker’s exit code and text, and undoes everything', async () => {
  const text = 'exec: "nope": executable file not found in $PATH: unknown';
  const id = await create({ hostConfig: { networkMode: 'bridge' } });
  fixture.runtime.createError = invalidArgument(text, { details: { exitCode: 127 } });
  await expect(fixture.containers.start(id)).rejects.toThrow(text);
  expect(fixture.containers.get(id).state).toEqual({ status: 'created', exitCode: 127, error: text });
  expect(fixture.network.sandbox(id)).toBeUndefined();
  expect(fixture.snapshotter.mounted.size).toBe(0);
  await fixture.containers.start(id);
  expect(status(id)).toBe('running');
});

test('start: an undo that fails as well hides neither exit code nor text', async () => {
  const text = 'exec: "nope": executable file not found in $PATH: unknown';
  const id = await create();
  fixture.snapshotter.unmountError = new Error('device or resource busy');
  fixture.runtime.createError = invalidArgument(text, { details: { exitCode: 127 } });
  const error = await fixture.containers.start(id).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: 'GantryError', message: text, details: { exitCode: 127 } });
  expect(fixture.containers.get(id).state).toEqual({ status: 'created', exitCode: 127, error: text });
});

test('start: a failure after create removes the task; with --rm the container as well', async () => {
  const id = await create({ hostConfig: { autoRemove: true } });
  fixture.runtime.onCreate = (task) => {
    task.startError = new Error('no memory');
  };
  const removed = fixture.containers.wait(id, 'removed');
  await expect(fixture.containers.start(id)).rejects.toThrow('no memory');
  expect(await removed.exit).toEqual({ exitCode: 128 });
  expect(fixture.runtime.tasks.size).toBe(0);
  expect(fixture.leftovers()).toEqual(NOTHING);
});

test('start: an unknown user is refused with docker’s text', async () => {
  const id = await create({ config: { user: 'ghost' } });
  await expect(fixture.containers.start(id)).rejects.toThrow(
    'unable to find user ghost: no matching entries in passwd file',
  );
  expect(fixture.runtime.tasks.size).toBe(0);
});

test('--rm: the exit code reaches those who wait for the removal', async () => {
  const id = await run({ hostConfig: { autoRemove: true } });
  const { exit } = fixture.containers.wait(id, 'removed');
  fixture.runtime.task(id).exit(3);
  expect(await exit).toEqual({ exitCode: 3 });
  expect(() => fixture.containers.get(id)).toThrow('No such container');
  expect(fixture.leftovers()).toEqual(NOTHING);
});

test('--rm: a process that ends at once loses nothing', async () => {
  fixture.runtime.onCreate = (task) => task.exit(5);
  const id = await create({ hostConfig: { autoRemove: true } });
  const { exit } = fixture.containers.wait(id, 'next-exit');
  await fixture.containers.start(id);
  expect(await exit).toEqual({ exitCode: 5 });
});

test('wait: not-running answers at once when it does not run, next-exit waits', async () => {
  const id = await create();
  expect(await fixture.containers.wait(id, 'not-running').exit).toEqual({ exitCode: 0 });
  const abort = new AbortController();
  const { exit } = fixture.containers.wait(id, 'next-exit', abort.signal);
  abort.abort(new Error('client gone'));
  await expect(exit).rejects.toThrow('client gone');
});

test('stop: signal, then KILL after the timeout; events in docker’s order', async () => {
  const id = await run();
  const task = fixture.runtime.task(id);
  task.ignoredSignals.add(15);
  await fixture.containers.stop(id, { timeoutS: 0 });
  expect(task.signals).toEqual([15, 9]);
  expect(fixture.containers.get(id).state).toMatchObject({ status: 'exited', exitCode: 137 });
  expect(fixture.actions()).toEqual(['create', 'start', 'kill', 'kill', 'die', 'stop']);
  await expect(fixture.containers.stop(id)).rejects.toMatchObject({ code: 'not_modified' });
});

test('stop: the image’s stop signal is used', async () => {
  const id = await run({ config: { stopSignal: 'SIGINT' } });
  const task = fixture.runtime.task(id);
  await fixture.containers.stop(id);
  expect(task.signals).toEqual([2]);
});

test('kill: default KILL, other signals, texts', async () => {
  const id = await run();
  const task = fixture.runtime.task(id);
  await fixture.containers.kill(id, 'USR1');
  expect(task.signals).toEqual([10]);
  await expect(fixture.containers.kill(id, 'BANANA')).rejects.toThrow('Invalid signal: BANANA');
  await fixture.containers.kill(id);
  expect(status(id)).toBe('exited');
  await expect(fixture.containers.kill(id)).rejects.toThrow(`container ${id} is not running`);
});

test('restart: keeps a --rm container and counts no restart', async () => {
  const id = await run({ hostConfig: { autoRemove: true } });
  await fixture.containers.restart(id);
  expect(fixture.containers.get(id)).toMatchObject({ restartCount: 0, state: { status: 'running' } });
  expect(fixture.actions()).toEqual(['create', 'start', 'kill', 'die', 'stop', 'start', 'restart']);
});

test('pause: stops and goes on; refusals', async () => {
  const { containers } = fixture;
  const id = await run();
  await containers.pause(id);
  expect(status(id)).toBe('paused');
  await expect(containers.pause(id)).rejects.toThrow(`container ${id} is already paused`);
  await expect(containers.start(id)).rejects.toThrow('cannot start a paused container, try unpause instead');
  await expect(containers.remove(id)).rejects.toThrow('container is paused and must be unpaused first');
  await containers.unpause(id);
  await expect(containers.unpause(id)).rejects.toThrow(`Container ${id} is not paused`);
  expect(containers.counts()).toEqual({ total: 1, running: 1, paused: 0, stopped: 0 });
});

test('kill, stop: a signal lets a paused container go on, in its state and in the events', async () => {
  const { containers, runtime } = fixture;
  const id = await run();
  const task = runtime.task(id);
  await containers.pause(id);
  await containers.kill(id, 'USR1');
  task.ignoredSignals.add(15);
  expect([status(id), task.paused]).toEqual(['running', false]);
  await containers.pause(id);
  await containers.stop(id, { timeoutS: 0 });
  expect(containers.get(id).state).toMatchObject({ status: 'exited', exitCode: 137 });
  const actions = fixture.actions().slice(2);
  expect(actions).toEqual('pause kill unpause pause kill unpause kill die stop'.split(' '));
});

test('start: one that waits for its restart counts as started', async () => {
  const id = await run({ hostConfig: { restartPolicy: { name: 'always', maximumRetryCount: 0 } } });
  const { exit } = fixture.containers.wait(id, 'next-exit');
  fixture.runtime.task(id).exit(1);
  await exit;
  expect(status(id)).toBe('restarting');
  await expect(fixture.containers.start(id)).rejects.toMatchObject({ code: 'not_modified' });
  await fixture.containers.stop(id);
  expect(status(id)).toBe('exited');
});

test('stop: -1 waits for the process as long as it takes', async () => {
  const id = await run();
  const task = fixture.runtime.task(id);
  task.ignoredSignals.add(15);
  const stopped = fixture.containers.stop(id, { timeoutS: -1 });
  expect(await Promise.race([stopped, Bun.sleep(50).then(() => 'waits')])).toBe('waits');
  expect(task.signals).toEqual([15]);
  task.exit(4);
  await stopped;
  expect(fixture.containers.get(id).state).toMatchObject({ status: 'exited', exitCode: 4 });
});

/** What a wait with each condition answers at once; undefined: it waits. */
test.each([
  ['created', 0],
  ['running', undefined],
  ['paused', undefined],
  ['restarting', undefined],
  ['exited', 3],
] as const)('wait: the conditions for a container that is %s', async (state, code) => {
  const { containers, runtime } = fixture;
  const name = state === 'restarting' ? 'always' : 'no';
  const id = await create({ hostConfig: { restartPolicy: { name, maximumRetryCount: 0 } } });
  if (state !== 'created') await containers.start(id);
  if (state === 'paused') await containers.pause(id);
  if (state === 'restarting' || state === 'exited') {
    const { exit } = containers.wait(id, 'next-exit');
    runtime.task(id).exit(3);
    await exit;
  }
  expect(status(id)).toBe(state);
  const at = (condition: 'not-running' | 'next-exit' | 'removed') => containers.wait(id, condition).exit;
  const waits = { notRunning: at('not-running'), nextExit: at('next-exit'), removed: at('removed') };
  const pending = Symbol('pending');
  const now = (wait: Promise<unknown>) => Promise.race([wait, Bun.sleep(5).then(() => pending)]);
  expect(await now(waits.notRunning)).toEqual(code === undefined ? pending : { exitCode: code });
  expect([await now(waits.nextExit), await now(waits.removed)]).toEqual([pending, pending]);
  await containers.remove(id, { force: true });
  const last = state === 'running' || state === 'paused' ? 137 : state === 'created' ? 0 : 3;
  for (const wait of Object.values(waits)) expect(await wait).toEqual({ exitCode: last });
});

test('remove: of a link removes the link, never the container', async () => {
  const { containers } = fixture;
  await create({ name: 'db' });
  const id = await create({ name: 'web', hostConfig: { links: ['db:store', 'db'] } });
  const text = 'Conflict, cannot remove the default link name of the container';
  await expect(containers.remove('web', { link: true, force: true })).rejects.toMatchObject({
    message: text,
  });
  await expect(containers.remove('web/other', { link: true })).rejects.toThrow(
    'No such container: web/other',
  );
  await containers.remove('/web/store', { link: true });
  expect(containers.get(id).linkTexts).toEqual(['/db:/web/db']);
  expect(containers.get('web/db').names).toEqual(['db', 'web/db']);
  await containers.remove('web/db', { link: true });
  expect(containers.get(id).linkTexts).toEqual([]);
  expect(containers.get('db').names).toEqual(['db']);
  expect(containers.list({ all: true })).toHaveLength(2);
});

test('remove: refuses a running container, forced it kills', async () => {
  const id = await run({ name: 'web' });
  await expect(fixture.containers.remove('web')).rejects.toThrow(
    'cannot remove container "/web": container is running: stop the container before removing or force remove',
  );
  await fixture.containers.remove('web', { force: true });
  expect(fixture.leftovers()).toEqual(NOTHING);
  expect(fixture.runtime.tasks.has(id)).toBe(false);
});

test('rename and update: stored, told, checked', async () => {
  const id = await run({ name: 'old' });
  await create({ name: 'taken' });
  await expect(fixture.containers.rename(id, 'taken')).rejects.toThrow('is already in use');
  await expect(fixture.containers.rename(id, 'old')).rejects.toThrow('same name as its current name');
  await fixture.containers.rename(id, 'new');
  expect(() => fixture.containers.get('old')).toThrow('No such container: old');
  await fixture.containers.update('new', { resources: { memory: 1 << 25, memorySwap: -1 } });
  expect(fixture.runtime.task(id).updates).toEqual([{ memory: { limit: 1 << 25, swap: -1 } }]);
  await expect(fixture.containers.update('new', { resources: { memory: 1024 } })).rejects.toThrow('6MB');
  const successor = await fixture.successor();
  expect(successor.get('new').hostConfig.memory).toBe(1 << 25);
});

test('prune: takes what does not run', async () => {
  const running = await run();
  const stopped = await create();
  expect(await fixture.containers.prune()).toEqual({ deleted: [stopped], reclaimedBytes: 42 });
  expect(status(running)).toBe('running');
});

test('network container: shares namespace and names of a running one', async () => {
  const donor = await run({ name: 'donor', hostConfig: { networkMode: 'bridge' } });
  const id = await run({ hostConfig: { networkMode: 'container:donor' } });
  const { spec } = fixture.runtime.task(id).options;
  const path = fixture.network.sandbox(donor)?.netnsPath;
  expect(spec.linux.namespaces).toContainEqual({ type: 'network', ...(path ? { path } : {}) });
  const hosts = spec.mounts.find(({ destination }) => destination === '/etc/hosts');
  expect(hosts?.source).toBe(fixture.containers.get(donor).hostsPath);
  fixture.runtime.task(id).exit(0);
  await fixture.containers.wait(id, 'not-running').exit;
  fixture.runtime.task(donor).exit(0);
  await fixture.containers.wait(donor, 'not-running').exit;
  await expect(fixture.containers.start(id)).rejects.toThrow(
    'cannot join network namespace of a non running container: container donor is exited',
  );
  expect(existsSync(fixture.containers.get(donor).hostsPath)).toBe(true);
});

test('network container: one that there is not is missed at the start, and may be made until then', async () => {
  const id = await create({ hostConfig: { networkMode: 'container:later' } });
  expect(fixture.containers.get(id).hostConfig.networkMode).toBe('container:later');
  await expect(fixture.containers.start(id)).rejects.toMatchObject({
    code: 'internal',
    message: 'joining network namespace of container: No such container: later',
  });
  await run({ name: 'later', hostConfig: { networkMode: 'bridge' } });
  await fixture.containers.start(id);
  expect(status(id)).toBe('running');
});

test.each(['ipcMode', 'pidMode'] as const)('%s container: one that there is not is refused', async (mode) => {
  await expect(create({ hostConfig: { [mode]: 'container:later' } })).rejects.toMatchObject({
    code: 'invalid_argument',
    message: 'No such container: later',
  });
});

test('remove: collects layers only when the image was forced away', async () => {
  const { containers } = fixture;
  await containers.remove(await create());
  expect(fixture.collections).toBe(0);
  const id = await create();
  fixture.imageIsGone = true;
  await containers.remove(id);
  expect(fixture.collections).toBe(1);
});
