import { afterEach, beforeEach, expect, test } from 'bun:test';
import { type ContainersFixture, createContainersFixture, createRequestFixture } from './testing/index.ts';

let fixture: ContainersFixture;
beforeEach(async () => {
  fixture = await createContainersFixture();
});
afterEach(() => fixture[Symbol.asyncDispose]());

const MB = 1 << 20;
const oomEvents = () => fixture.actions().filter((action) => action === 'oom').length;

async function run(memory: number): Promise<string> {
  const { id } = await fixture.containers.create(createRequestFixture({ hostConfig: { memory } }));
  await fixture.containers.start(id);
  return id;
}

async function end(id: string, oomKilled: boolean): Promise<void> {
  fixture.runtime.task(id).exit(137, { oomKilled });
  await fixture.containers.wait(id, 'not-running').exit;
}

test('a container that runs out of memory tells at once, each time, and not again at its end', async () => {
  const id = await run(64 * MB);
  for (const times of [1, 2]) {
    fixture.runtime.task(id).runOutOfMemory();
    // Takes the container's lock after the event did.
    await fixture.containers.update(id, { resources: {} });
    expect(oomEvents()).toBe(times);
    expect(fixture.containers.get(id).state).toMatchObject({ status: 'running', oomKilled: true });
  }
  const task = fixture.runtime.task(id);
  await end(id, true);
  expect(oomEvents()).toBe(2);
  expect(fixture.containers.get(id).state).toMatchObject({ status: 'exited', oomKilled: true });
  expect(task.oomListeners.size).toBe(0);
  await fixture.containers.start(id);
  expect(fixture.containers.get(id).state).not.toHaveProperty('oomKilled');
});

test('without a limit it is told at the end; with a new limit it is watched from then on', async () => {
  const id = await run(0);
  expect(fixture.runtime.task(id).oomListeners.size).toBe(0);
  await fixture.containers.update(id, { resources: { memory: 64 * MB, memorySwap: -1 } });
  expect(fixture.runtime.task(id).oomListeners.size).toBe(1);
  const other = await run(0);
  await end(other, true);
  expect(oomEvents()).toBe(1);
});
