import { afterEach, beforeEach, expect, test } from 'bun:test';
import { type ContainersFixture, createContainersFixture, createRequestFixture } from './testing/index.ts';

let fixture: ContainersFixture;
beforeEach(async () => {
  fixture = await createContainersFixture();
});
afterEach(async () => {
  await fixture[Symbol.asyncDispose]();
});

test('export: a client that goes before the first byte leaves nothing mounted', async () => {
  const { id } = await fixture.containers.create(createRequestFixture());
  const stream = await fixture.containers.export(id);
  expect(fixture.snapshotter.isMounted(id)).toBe(true);
  const closed = new Promise((resolve) => stream.once('close', resolve));
  stream.destroy();
  await closed;
  await new Promise((resolve) => setImmediate(resolve));
  expect(fixture.snapshotter.isMounted(id)).toBe(false);
});
