import { afterEach, beforeEach, expect, test } from 'bun:test';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { decodeContainer } from './decode.ts';
import type { HostConfig } from './model.ts';
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

async function restart(): Promise<ContainerService> {
  const service = await fixture.successor();
  successors.push(service);
  return service;
}
const run = async (hostConfig: Partial<HostConfig> = {}): Promise<string> => {
  const { id } = await fixture.containers.create(createRequestFixture({ hostConfig }));
  await fixture.containers.start(id);
  return id;
};
/** Replaces parts of a stored row behind the daemon's back. */
function damage(id: string, parts: Readonly<Record<string, unknown>>): void {
  const rows = fixture.metadata.collection<unknown>('containers', (row) => row);
  rows.put(id, { ...(rows.get(id) as object), ...parts });
}
const directoryOf = (id: string) => join(fixture.dataRoot, 'containers', id);

test('restore: what belongs to a row that cannot be read is never deleted, at no later start either', async () => {
  const id = await run({ networkMode: 'bridge', binds: ['data:/data'] });
  await fixture.snapshotter.createSnapshot(`${id}-image-0`, undefined);
  const image = fixture.containers.get(id).imageId;
  const task = fixture.runtime.task(id);
  damage(id, { state: { status: 'hibernating' } });
  fixture.volumes.release('data', id);
  for (const _ of [1, 2]) {
    const service = await restart();
    expect(() => service.get(id)).toThrow('No such container');
    expect(task.hasExited).toBe(false);
    expect(fixture.runtime.leftovers()).toEqual([id]);
    expect(existsSync(directoryOf(id))).toBe(true);
    expect(fixture.snapshotter.snapshots().sort()).toEqual([id, `${id}-image-0`]);
    expect(fixture.snapshotter.isMounted(id)).toBe(true);
    expect((await fixture.volumes.prune({ all: ['true'] })).deleted).toEqual([]);
    expect(service.usersOf(image)).toEqual([{ containerId: id, running: false }]);
    fixture.volumes.release('data', id);
  }
});

test('restore: a lost container whose directory is deleted goes altogether', async () => {
  const id = await run();
  damage(id, { state: { status: 'hibernating' } });
  await restart();
  rmSync(directoryOf(id), { recursive: true });
  await restart();
  expect(fixture.runtime.leftovers()).toEqual([]);
  expect(fixture.leftovers()).toEqual({ directories: [], snapshots: [], volumes: [] });
});

test('restore: what has no row in a database that was made anew goes on, at later starts too', async () => {
  const id = await run();
  const task = fixture.runtime.task(id);
  fixture.metadata.collection('containers', decodeContainer).delete(id);
  for (const isRebuilt of [true, false]) {
    fixture.isRebuilt = isRebuilt;
    await restart();
    expect(task.hasExited).toBe(false);
    expect(fixture.leftovers()).toMatchObject({ directories: [id], snapshots: [id] });
  }
});

/** As long as it does not see, no task can be looked at. */
function blindRuntime(): { sees: boolean; hasSeen: boolean } {
  const eyes = { sees: false, hasSeen: false };
  const recover = fixture.runtime.recover.bind(fixture.runtime);
  fixture.runtime.recover = async (id) => {
    if (!eyes.sees) throw new Error('EMFILE: too many open files');
    eyes.hasSeen = true;
    return await recover(id);
  };
  return eyes;
}
async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setImmediate(resolve));
}

test('restore: a container that cannot be looked at runs on, and is adopted when it can', async () => {
  const id = await run({ networkMode: 'bridge' });
  const task = fixture.runtime.task(id);
  const eyes = blindRuntime();
  const service = await restart();
  expect(service.get(id).state.status).toBe('running');
  expect(task.hasExited).toBe(false);
  expect(fixture.snapshotter.isMounted(id)).toBe(true);
  await expect(service.stop(id)).rejects.toThrow('could not be taken over');
  await expect(service.kill(id)).rejects.toThrow('could not be taken over');
  eyes.sees = true;
  const { exit } = service.wait(id, 'not-running');
  await until(() => eyes.hasSeen);
  task.exit(6);
  expect(await exit).toEqual({ exitCode: 6 });
});

test('restore: one that had ended while it could not be looked at follows its policy then', async () => {
  const id = await run({ restartPolicy: { name: 'always', maximumRetryCount: 0 } });
  fixture.runtime.tasks.delete(id);
  const eyes = blindRuntime();
  const service = await restart();
  expect(service.get(id).state.status).toBe('running');
  const before = service.get(id).state;
  eyes.sees = true;
  await until(() => service.get(id).state.status === 'running' && service.get(id).state !== before);
  expect(fixture.actions()).toContain('die');
});

test('restore: whoever removes one that cannot be looked at gets it removed', async () => {
  const id = await run();
  blindRuntime();
  const service = await restart();
  await service.remove(id, { force: true });
  expect(fixture.leftovers()).toEqual({ directories: [], snapshots: [], volumes: [] });
});

test.each([{ hostConfig: {} }, { mounts: [null] }, { config: {} }, { links: {} }, { portRequests: [1] }])(
  'restore: a row with %j keeps neither the daemon nor the others',
  async (parts) => {
    const other = await run({ restartPolicy: { name: 'always', maximumRetryCount: 0 } });
    const id = await run();
    damage(id, parts);
    const service = await restart();
    expect(service.list({ all: true }).map((view) => String(view.id))).toEqual([other]);
    expect(fixture.runtime.task(id).hasExited).toBe(false);
  },
);

test('restore: a damaged row is let alone also when nothing can be stored', async () => {
  const id = await run();
  damage(id, { mounts: [null] });
  fixture.storeError = new Error('database or disk is full');
  await restart();
  fixture.storeError = undefined;
  expect(fixture.runtime.task(id).hasExited).toBe(false);
  // What could not be noted is found again.
  await restart();
  expect(fixture.runtime.task(id).hasExited).toBe(false);
  expect(fixture.leftovers()).toMatchObject({ directories: [id], snapshots: [id] });
});

test('restore: a lost container whose directory is deleted is forgotten also when that cannot be stored', async () => {
  const id = await run();
  damage(id, { mounts: [null] });
  await restart();
  rmSync(directoryOf(id), { recursive: true });
  fixture.storeError = new Error('database or disk is full');
  await restart();
  fixture.storeError = undefined;
  expect(fixture.runtime.leftovers()).toEqual([]);
});

test('restore: a volume that a lost container may share outlives the other user', async () => {
  const id = await run({ binds: ['data:/data'] });
  const other = await run({ binds: ['data:/data'] });
  damage(id, { mounts: [null] });
  fixture.volumes.release('data', id);
  const service = await restart();
  await service.remove(other, { force: true, volumes: true });
  expect((await fixture.volumes.prune({ all: ['true'] })).deleted).toEqual([]);
});
