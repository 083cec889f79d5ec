import { afterEach, beforeEach, expect, test } from 'bun:test';
import { type ContainersFixture, createContainersFixture, createRequestFixture } from './testing/index.ts';

let fixture: ContainersFixture;
beforeEach(async () => {
  fixture = await createContainersFixture();
});
afterEach(() => fixture[Symbol.asyncDispose]());

const create = async (): Promise<string> => {
  const restartPolicy = { name: 'always', maximumRetryCount: 0 } as const;
  const hostConfig = { restartPolicy, binds: ['share:/data'] };
  return (await fixture.containers.create(createRequestFixture({ name: 'web', hostConfig }))).id;
};

/** From now on a volume's server does not answer. Settles when somebody waits for it. */
function hang(): Promise<void> {
  const { volumes } = fixture;
  const begun = Promise.withResolvers<void>();
  const given = Promise.withResolvers<void>();
  const { giveUpMounts } = volumes;
  volumes.giveUpMounts = (user) => {
    given.reject(new Error('given up'));
    return giveUpMounts.call(volumes, user);
  };
  volumes.mount = async () => {
    begun.resolve();
    await given.promise;
  };
  return begun.promise;
}

test('a start that waits for a volume ends when its container is removed by force', async () => {
  const id = await create();
  const hanging = hang();
  const starting = fixture.containers.start(id).catch(String);
  await hanging;
  await fixture.containers.remove(id, { force: true });
  expect(await starting).toContain('given up');
  expect(fixture.leftovers().directories).toEqual([]);
});

test('a start that waits for a volume does not keep the daemon from ending', async () => {
  const id = await create();
  const hanging = hang();
  const starting = fixture.containers.start(id).catch(String);
  await hanging;
  await fixture.containers.shutdown({ stopAll: true });
  expect(await starting).toContain('given up');
});

test('a restart by policy that waits for a volume is ended by a stop', async () => {
  const id = await create();
  await fixture.containers.start(id);
  const hanging = hang();
  fixture.runtime.task(id).exit(3);
  await hanging;
  await fixture.containers.stop(id);
  expect(fixture.containers.get(id).state.status).toBe('exited');
});
