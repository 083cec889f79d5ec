import { afterEach, beforeEach, expect, test } from 'bun:test';
import type { Container } from './model.ts';
import { PATIENCE } from './removal-retries.ts';
import { type ContainersFixture, createContainersFixture, createRequestFixture } from './testing/index.ts';

let fixture: ContainersFixture;
beforeEach(async () => {
  fixture = await createContainersFixture();
});
afterEach(async () => {
  await fixture[Symbol.asyncDispose]();
});

const create = async (name: string, labels: Record<string, string> = {}): Promise<string> =>
  (await fixture.containers.create(createRequestFixture({ name, config: { labels } }))).id;
const names = () =>
  fixture.containers
    .list({ all: true })
    .map(({ name }) => name)
    .sort();

test('prune: takes what is created, exited or dead, never what runs, is paused or waits for its restart', async () => {
  const { containers, runtime } = fixture;
  const restartPolicy = { name: 'always', maximumRetryCount: 0 } as const;
  await create('created');
  for (const name of ['exited', 'running', 'paused']) await containers.start(await create(name));
  const request = createRequestFixture({ name: 'restarting', hostConfig: { restartPolicy } });
  const { id } = await containers.create(request);
  await containers.start(id);
  const { exit } = containers.wait(id, 'next-exit');
  runtime.task(id).exit(1);
  await exit;
  await containers.stop('exited');
  await containers.pause('paused');
  const dead = await create('dead');
  for (let n = 0; n < PATIENCE; n += 1) fixture.snapshotter.removalErrors.push(new Error('busy'));
  await expect(containers.remove(dead)).rejects.toThrow('busy');
  expect((await containers.prune()).deleted).toHaveLength(3);
  expect(names()).toEqual(['paused', 'restarting', 'running']);
}, 20_000);

test.each([
  [{ label: ['a'] }, ['none', 'other']],
  [{ label: ['a=1'] }, ['none', 'other', 'two']],
  [{ label: ['a', 'b=2'] }, ['none', 'one', 'other']],
  [{ 'label!': ['a'] }, ['one', 'two']],
  [{ 'label!': ['a=1', 'c'] }, ['one', 'other']],
  [{ label: ['a'], 'label!': ['b'] }, ['none', 'other', 'two']],
  [{ until: ['24h'] }, ['none', 'one', 'other', 'two']],
  [{ until: ['0s'] }, []],
  [{ until: ['2000-01-01T00:00:00Z'] }, ['none', 'one', 'other', 'two']],
  [{ until: ['4102444800'] }, []],
])('prune: %j leaves %j', async (filters, left) => {
  await create('none');
  await create('one', { a: '1' });
  await create('two', { a: '3', b: '2' });
  await create('other', { c: '' });
  await fixture.containers.prune(filters);
  expect(names()).toEqual(left);
});

test('prune: an unknown filter or time is refused before anything is removed', async () => {
  await create('kept');
  for (const filters of [{ status: ['exited'] }, { until: ['yesterday'] }])
    await expect(fixture.containers.prune(filters)).rejects.toMatchObject({ code: 'invalid_argument' });
  expect(names()).toEqual(['kept']);
});

test('prune: one that cannot be removed does not keep the others', async () => {
  for (const name of ['one', 'two', 'three']) await create(name);
  const { snapshotter } = fixture;
  const remove = snapshotter.removeSnapshot.bind(snapshotter);
  const [stuck] = fixture.containers.list({ all: true });
  snapshotter.removeSnapshot = async (key) => {
    if (key === stuck?.id) throw new Error('busy');
    await remove(key);
  };
  expect((await fixture.containers.prune()).deleted).toHaveLength(2);
  expect(fixture.containers.get(stuck?.id ?? '').state.status).toBe(
    'dead' satisfies Container['state']['status'],
  );
}, 20_000);
