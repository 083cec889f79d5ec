import { afterEach, beforeEach, expect, test } from 'bun:test';
import { decodeContainer } from './decode.ts';
import type { HostConfig } from './model.ts';
import { PATIENCE } from './removal-retries.ts';
import { type ContainersFixture, createContainersFixture, createRequestFixture } from './testing/index.ts';

let fixture: ContainersFixture;
beforeEach(async () => {
  fixture = await createContainersFixture();
});
afterEach(async () => {
  await fixture[Symbol.asyncDispose]();
});

const create = async (hostConfig: Partial<HostConfig> = {}): Promise<string> => {
  const request = createRequestFixture({ name: 'web', hostConfig, config: { volumes: ['/anonymous'] } });
  return (await fixture.containers.create(request)).id;
};
const run = async (hostConfig: Partial<HostConfig> = {}): Promise<string> => {
  const id = await create(hostConfig);
  await fixture.containers.start(id);
  return id;
};
const failRemovals = (count: number) => {
  for (let n = 0; n < count; n += 1) fixture.snapshotter.removalErrors.push(new Error('too many open files'));
};
const reason = 'unable to remove filesystem: too many open files';
const NOTHING = { directories: [], snapshots: [], volumes: [] };

test('--rm: a removal that fails is tried again; who waits gets the exit code', async () => {
  const id = await run({ autoRemove: true });
  const { exit } = fixture.containers.wait(id, 'removed');
  failRemovals(2);
  fixture.runtime.task(id).exit(3);
  expect(await exit).toEqual({ exitCode: 3 });
  expect(fixture.leftovers()).toEqual(NOTHING);
});

test('--rm: who waits is told when the removal goes on failing; it goes on being tried', async () => {
  const id = await run({ autoRemove: true });
  const { exit } = fixture.containers.wait(id, 'removed');
  failRemovals(PATIENCE);
  fixture.runtime.task(id).exit(3);
  expect(await exit).toEqual({ exitCode: 3, error: reason });
  expect(fixture.containers.get(id).state).toMatchObject({ status: 'dead', error: reason });
  expect(await fixture.containers.wait(id, 'removed').exit).toEqual({ exitCode: 3 });
  expect(fixture.leftovers()).toEqual(NOTHING);
}, 20_000);

test('remove: tried again; the error comes when patience ends, and another remove begins anew', async () => {
  const id = await create();
  failRemovals(1);
  await fixture.containers.remove(id, { volumes: true });
  expect(fixture.leftovers()).toEqual(NOTHING);
  const next = await create();
  failRemovals(PATIENCE);
  await expect(fixture.containers.remove(next)).rejects.toMatchObject({
    code: 'internal',
    message: `cannot remove container "/web": ${reason}`,
  });
  expect(fixture.containers.get(next).state.status).toBe('dead');
  await expect(fixture.containers.start(next)).rejects.toThrow('marked for removal');
  await fixture.containers.remove(next, { volumes: true });
  expect(fixture.leftovers()).toEqual(NOTHING);
}, 20_000);

test('remove: the network of a run that could not be given back is given back later', async () => {
  const id = await run({ networkMode: 'bridge' });
  fixture.runtime.task(id).exit(0);
  await fixture.containers.wait(id, 'not-running').exit;
  const { network } = fixture;
  const remove = network.removeSandbox.bind(network);
  let failures = 3;
  network.removeSandbox = async (key) => {
    failures -= 1;
    if (failures >= 0) throw new Error('too many open files');
    await remove(key);
  };
  await fixture.containers.remove(id);
  expect(failures).toBe(-1);
});

test.each([false, true])(
  'a dead container is removed at the next start, its volumes only if asked: %s',
  async (removesVolumes) => {
    const id = await create();
    const rows = fixture.metadata.collection('containers', decodeContainer);
    const row = rows.get(id);
    if (row?.state.status !== 'created') throw new Error('no row');
    rows.put(id, { ...row, state: { status: 'dead', previous: row.state, error: reason, removesVolumes } });
    const successor = await fixture.successor();
    expect(successor.list({ all: true })).toEqual([]);
    expect(fixture.leftovers().volumes.length).toBe(removesVolumes ? 0 : 1);
    await successor.shutdown({ stopAll: false });
  },
);

test('exit: an end that cannot be stored is an end all the same', async () => {
  const id = await run();
  const { exit } = fixture.containers.wait(id, 'not-running');
  fixture.storeError = new Error('database or disk is full');
  fixture.runtime.task(id).exit(4);
  expect(await exit).toEqual({ exitCode: 4 });
  fixture.storeError = undefined;
  expect(fixture.containers.get(id).state).toMatchObject({ status: 'exited', exitCode: 4 });
  await fixture.containers.remove(id);
});

test('remove: by force tells of the kill, the end and the removal, in this order', async () => {
  const id = await run();
  await fixture.containers.remove(id, { force: true });
  const told = fixture.bus.history().filter(({ type }) => type === 'container');
  expect(told.map(({ action }) => action)).toEqual(['create', 'start', 'kill', 'die', 'destroy']);
  expect(told.find(({ action }) => action === 'kill')?.attributes['signal']).toBe('9');
});

test('remove: by force of a paused one shows that it goes on', async () => {
  const id = await run();
  await fixture.containers.pause(id);
  const task = fixture.runtime.task(id);
  // As the kernel has it: a frozen process dies when it thaws.
  task.kill = async () => true;
  task.resume = async () => task.exit(137);
  await fixture.containers.remove(id, { force: true });
  expect(fixture.actions().slice(2)).toEqual(['pause', 'kill', 'unpause', 'die', 'destroy']);
});
