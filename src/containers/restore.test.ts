import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { decodeContainer } from './decode.ts';
import type { Container, ContainerConfig, HostConfig, RestartPolicy } from './model.ts';
import { type ContainersFixture, createContainersFixture, createRequestFixture } from './testing/index.ts';
import type { ContainerService } from './types.ts';

let fixture: ContainersFixture;
const successors: ContainerService[] = [];
beforeEach(async () => {
  fixture = await createContainersFixture();
});
afterEach(async () => {
  for (const service of successors.splice(0)) await service.shutdown({ stopAll: false });
  await fixture[Symbol.asyncDispose]();
});

const create = async (
  hostConfig: Partial<HostConfig> = {},
  config: Partial<ContainerConfig> = {},
): Promise<string> => (await fixture.containers.create(createRequestFixture({ config, hostConfig }))).id;
const run = async (hostConfig: Partial<HostConfig> = {}): Promise<string> => {
  const id = await create(hostConfig);
  await fixture.containers.start(id);
  return id;
};
async function restart(): Promise<ContainerService> {
  const service = await fixture.successor();
  successors.push(service);
  return service;
}
const policy = (name: RestartPolicy['name']): Partial<HostConfig> => ({
  restartPolicy: { name, maximumRetryCount: 0 },
});
/** Resolves when the container is in the state. */
async function reaches(service: ContainerService, id: string, status: Container['state']['status']) {
  while (service.get(id).state.status !== status) await new Promise((resolve) => setImmediate(resolve));
}

test('restore: adopts what runs; its exit and stop work', async () => {
  const id = await run({ networkMode: 'bridge' });
  const sandbox = fixture.containers.get(id).sandbox;
  const service = await restart();
  expect(service.get(id).state.status).toBe('running');
  expect(service.get(id).sandbox?.endpoints).toEqual(sandbox?.endpoints ?? []);
  const { exit } = service.wait(id, 'not-running');
  fixture.runtime.task(id).exit(6);
  expect(await exit).toEqual({ exitCode: 6 });
  expect(service.get(id).sandbox).toBeUndefined();
});

test.each([true, false])('restore: whether it is paused is asked of the kernel (%s)', async (isPaused) => {
  const id = await run();
  if (!isPaused) await fixture.containers.pause(id);
  // As a crash between the kernel's answer and the row leaves it.
  fixture.runtime.task(id).paused = isPaused;
  const service = await restart();
  expect(service.get(id).state.status).toBe(isPaused ? 'paused' : 'running');
});

test('restore: a run that ended meanwhile keeps its exit code', async () => {
  const id = await run();
  const abandoned = fixture.runtime.task(id);
  // The first service must not see this exit: a fresh task stands for what conmon's files say.
  fixture.runtime.tasks.delete(id);
  const task = await fixture.runtime.create(abandoned.options);
  task.exit(9, { exitedAt: '2026-01-01T00:00:00.000Z' });
  const service = await restart();
  await reaches(service, id, 'exited');
  expect(service.get(id).state).toMatchObject({ exitCode: 9, finishedAt: '2026-01-01T00:00:00.000Z' });
});

test('exit: the exit code is in the row before the runtime forgets it', async () => {
  const id = await run();
  const rows = fixture.metadata.collection('containers', decodeContainer);
  const forget = fixture.runtime.delete.bind(fixture.runtime);
  let atDelete: Container['state'] | undefined;
  fixture.runtime.delete = async (key) => {
    atDelete = rows.get(id)?.state;
    await forget(key);
  };
  fixture.runtime.task(id).exit(5);
  await reaches(fixture.containers, id, 'exited');
  expect(atDelete).toMatchObject({ status: 'exited', exitCode: 5 });
});

test('restore: a --rm container that ended meanwhile is removed', async () => {
  const id = await run({ autoRemove: true });
  fixture.runtime.tasks.delete(id);
  const service = await restart();
  expect(() => service.get(id)).toThrow('No such container');
  expect(fixture.snapshotter.snapshots()).toEqual([]);
});

test('restore: a run of which nothing is left becomes exited with 255, unmounted', async () => {
  const id = await run();
  fixture.runtime.tasks.delete(id);
  const service = await restart();
  expect(service.get(id).state).toMatchObject({
    status: 'exited',
    exitCode: 255,
    error: expect.stringContaining('exit status unknown: nothing was left'),
  });
  const died = fixture.bus.history().find(({ action }) => action === 'die');
  expect(died?.attributes['gantry.exit.error']).toStartWith('exit status unknown: ');
  expect(fixture.snapshotter.mounted.size).toBe(0);
});

test('restore: a start that a crash interrupted is undone', async () => {
  const id = await create();
  const row = fixture.containers.get(id);
  fixture.snapshotter.mount(id);
  await fixture.runtime.create({
    id,
    spec: {} as never,
    terminal: false,
    openStdin: false,
    stdinOnce: false,
    logPath: row.logPath,
  });
  const service = await restart();
  expect(service.get(id).state.status).toBe('created');
  expect(fixture.runtime.leftovers()).toEqual([]);
  expect(fixture.snapshotter.mounted.size).toBe(0);
});

test('restore: an auto-removed container that never started goes, an ordinary one stays', async () => {
  const doomed = await create({ autoRemove: true });
  const kept = await create();
  const service = await restart();
  expect(service.list({ all: true }).map(({ id }) => String(id))).toEqual([String(kept)]);
  expect(() => service.get(doomed)).toThrow('No such container');
});

test('restore: removes what a create left without a row, finishes removals', async () => {
  const stray = 'ab'.repeat(32);
  await fixture.snapshotter.createSnapshot(stray, undefined);
  await fixture.snapshotter.createSnapshot(`${stray}-image-0`, undefined);
  mkdirSync(join(fixture.dataRoot, 'containers', stray));
  const id = await create();
  const rows = fixture.metadata.collection('containers', decodeContainer);
  const row = rows.get(id);
  if (row?.state.status !== 'created') throw new Error('no row');
  rows.put(id, { ...row, state: { status: 'removing', previous: row.state } });
  const service = await restart();
  expect(service.list({ all: true })).toEqual([]);
  expect(fixture.leftovers()).toEqual({ directories: [], snapshots: [], volumes: [] });
});

for (const [name, isStopped, starts] of [
  ['no', false, false],
  ['always', false, true],
  ['always', true, true],
  ['unless-stopped', false, true],
  ['unless-stopped', true, false],
  ['on-failure', false, true],
] as const) {
  test(`restore: ${name}, ${isStopped ? 'stopped by the user' : 'lost with the machine'} → ${starts ? 'started' : 'left alone'}`, async () => {
    const id = await run(policy(name));
    if (isStopped) await fixture.containers.stop(id);
    else fixture.runtime.tasks.delete(id);
    const service = await restart();
    if (starts) await reaches(service, id, 'running');
    await service.shutdown({ stopAll: false });
    expect(service.get(id).state.status).toBe(starts ? 'running' : 'exited');
  });
}

test.each([
  [2, 'exited'],
  [3, 'running'],
] as const)(
  'restore: of a container that was restarted twice, %p retries allowed → %s',
  async (maximumRetryCount, status) => {
    const id = await run({ restartPolicy: { name: 'on-failure', maximumRetryCount } });
    const rows = fixture.metadata.collection('containers', decodeContainer);
    const row = rows.get(id);
    if (!row) throw new Error('no row');
    const state = {
      status: 'exited',
      startedAt: 'a',
      finishedAt: 'b',
      exitCode: 1,
      oomKilled: false,
    } as const;
    rows.put(id, { ...row, restartCount: 2, state });
    fixture.runtime.tasks.delete(id);
    const service = await restart();
    if (status === 'running') await reaches(service, id, status);
    await service.shutdown({ stopAll: false });
    expect(service.get(id).state.status).toBe(status);
  },
);

test('restore: volumes of containers stay held', async () => {
  const { id } = await fixture.containers.create(
    createRequestFixture({ hostConfig: { binds: ['data:/data', '/tmp:/t'] } }),
  );
  fixture.volumes.release('data', id);
  await restart();
  expect(fixture.volumes.usersOf('data')).toEqual([id]);
});

test('shutdown: a container has its own time to stop, however short the time of the daemon', async () => {
  const { id } = await fixture.containers.create(createRequestFixture({ config: { stopTimeoutS: 100 } }));
  await fixture.containers.start(id);
  const task = fixture.runtime.task(id);
  task.ignoredSignals.add(15);
  const ending = fixture.containers.shutdown({ stopAll: true, timeoutS: 0 });
  while (task.signals.length === 0) await new Promise((resolve) => setImmediate(resolve));
  task.exit(7);
  await ending;
  expect(task.signals).toEqual([15]);
  expect(fixture.containers.get(id).state).toMatchObject({ status: 'exited', exitCode: 7 });
});

test('shutdown: stopping everything leaves the policy in force for the next start', async () => {
  const id = await run(policy('unless-stopped'));
  await fixture.containers.shutdown({ stopAll: true });
  expect(fixture.containers.get(id)).toMatchObject({ manuallyStopped: false, state: { status: 'exited' } });
  const service = await restart();
  await reaches(service, id, 'running');
});

test('shutdown: while the policies start containers, no more are begun', async () => {
  const ids = await Promise.all(Array.from({ length: 8 }, () => run(policy('always'))));
  for (const id of ids) fixture.runtime.tasks.delete(id);
  const service = await fixture.successor();
  const gate = Promise.withResolvers<void>();
  const create = fixture.runtime.create.bind(fixture.runtime);
  let begun = 0;
  fixture.runtime.create = async (options) => {
    begun += 1;
    await gate.promise;
    return await create(options);
  };
  while (begun === 0) await new Promise((resolve) => setImmediate(resolve));
  const ended = service.shutdown({ stopAll: true });
  gate.resolve();
  await ended;
  expect(begun).toBeLessThanOrEqual(4);
  expect(ids.map((id) => service.get(id).state.status)).toEqual(ids.map(() => 'exited'));
  // The next start begins all of them.
  const next = await restart();
  for (const id of ids) await reaches(next, id, 'running');
});

test('restart policy: a failed run is started again after its delay, a stop ends that', async () => {
  const id = await run(policy('always'));
  fixture.runtime.task(id).exit(1);
  await reaches(fixture.containers, id, 'restarting');
  await reaches(fixture.containers, id, 'running');
  expect(fixture.containers.get(id).restartCount).toBe(1);
  fixture.runtime.task(id).exit(1);
  await reaches(fixture.containers, id, 'restarting');
  await fixture.containers.stop(id);
  expect(fixture.containers.get(id).state).toMatchObject({ status: 'exited', exitCode: 1 });
});

test('restart policy: a start that fails counts like a failed run', async () => {
  const id = await run(policy('always'));
  fixture.runtime.task(id).exit(1);
  fixture.runtime.createError = new Error('not now');
  await reaches(fixture.containers, id, 'restarting');
  await reaches(fixture.containers, id, 'running');
  expect(fixture.containers.get(id).restartCount).toBe(2);
});
