import { afterAll, beforeAll, expect, test } from 'bun:test';
import { type ContainersFixture, createContainersFixture, createRequestFixture } from './testing/index.ts';

let fixture: ContainersFixture;
beforeAll(async () => {
  fixture = await createContainersFixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());

const told = (type: string): Record<string, string>[] =>
  fixture.bus
    .history()
    .filter((event) => event.type === type)
    .map(({ action, attributes }) => ({ action, ...attributes }));

test('a run takes network and volumes, and gives them back; a prune tells what it has freed', async () => {
  const { id } = await fixture.containers.create(
    createRequestFixture({ config: { volumes: ['/v'] }, hostConfig: { networkMode: 'bridge' } }),
  );
  await fixture.containers.start(id);
  const network = { container: id, name: 'bridge', type: 'bridge' };
  expect(told('network')).toEqual([{ action: 'connect', ...network }]);
  await fixture.containers.kill(id);
  expect(told('network')).toEqual([
    { action: 'connect', ...network },
    { action: 'disconnect', ...network },
  ]);
  const volume = { container: id, driver: 'local' };
  expect(told('volume')).toEqual([
    { action: 'create', driver: 'local' },
    { action: 'mount', ...volume, destination: '/v', propagation: '', 'read/write': 'true' },
    { action: 'unmount', ...volume },
  ]);
  await fixture.containers.prune();
  expect(fixture.actions()).toEqual(['create', 'start', 'kill', 'die', 'destroy', 'prune']);
  expect(told('container').at(-1)).toEqual({ action: 'prune', reclaimed: expect.stringMatching(/^\d+$/) });
});
