import { afterEach, beforeEach, expect, test } from 'bun:test';
import { type ContainersFixture, createContainersFixture, createRequestFixture } from './testing/index.ts';
import type { StatsOptions } from './types.ts';

let fixture: ContainersFixture;
beforeEach(async () => {
  fixture = await createContainersFixture();
});
afterEach(async () => {
  await fixture[Symbol.asyncDispose]();
});

const create = async () => (await fixture.containers.create(createRequestFixture())).id;
const samples = async (id: string, options: StatsOptions) =>
  await Array.fromAsync(fixture.containers.stats(id, options));

test.each(['once', 'one-shot'] as const)(
  'stats %s: one sample of zeros while it does not run',
  async (mode) => {
    const found = await samples(await create(), { mode });
    expect(found).toEqual([
      expect.objectContaining({ readAt: undefined, memory: undefined, previous: undefined }),
    ]);
  },
);

test('stats: an unknown container is refused at once', () => {
  expect(() => fixture.containers.stats('ghost', { mode: 'stream' })).toThrow('No such container: ghost');
});

test('stats: a stream ends with the removal of the container, or with its reader', async () => {
  const id = await create();
  const stream = fixture.containers.stats(id, { mode: 'stream' })[Symbol.asyncIterator]();
  expect((await stream.next()).value).toMatchObject({ readAt: undefined });
  const next = stream.next();
  await fixture.containers.remove(id);
  await next;
  expect((await stream.next()).done).toBe(true);

  const abort = new AbortController();
  const other = samples(await create(), { mode: 'stream', signal: abort.signal });
  abort.abort();
  expect((await other).length).toBeLessThanOrEqual(1);
});
