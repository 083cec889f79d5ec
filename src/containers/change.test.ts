import { afterEach, beforeEach, expect, test } from 'bun:test';
import type { HostConfig, Resources } from './model.ts';
import { type ContainersFixture, createContainersFixture, createRequestFixture } from './testing/index.ts';

let fixture: ContainersFixture;
beforeEach(async () => {
  fixture = await createContainersFixture();
});
afterEach(async () => {
  await fixture[Symbol.asyncDispose]();
});

const MB = 1024 * 1024;
async function updated(hostConfig: Partial<HostConfig>, resources: Partial<Resources>): Promise<string> {
  const { id } = await fixture.containers.create(createRequestFixture({ hostConfig }));
  await fixture.containers.start(id);
  try {
    await fixture.containers.update(id, { resources });
    return 'updated';
  } catch (error) {
    return (error as Error).message.replace(id, 'ID');
  }
}

const SWAP =
  'Cannot update container ID: Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time';
const conflict = (first: string, second: string) =>
  `Cannot update container ID: Conflicting options: ${first} cannot be updated as ${second} has already been set`;

test.each<[Partial<HostConfig>, Partial<Resources>, string]>([
  [{ memory: 64 * MB }, { memory: 100 * MB }, 'updated'],
  [{ memory: 64 * MB }, { memory: 200 * MB }, SWAP],
  [{ memory: 64 * MB }, { memory: 200 * MB, memorySwap: 400 * MB }, 'updated'],
  [{}, { memory: 64 * MB }, SWAP],
  [{}, { memory: 64 * MB, memorySwap: -1 }, 'updated'],
  [{ nanoCpus: 1e9 }, { cpuPeriod: 10_000 }, conflict('CPU Period', 'NanoCPUs')],
  [{ nanoCpus: 1e9 }, { cpuQuota: 10_000 }, conflict('CPU Quota', 'NanoCPUs')],
  [{ cpuPeriod: 10_000 }, { nanoCpus: 1e9 }, conflict('Nano CPUs', 'CPU Period')],
  [{ cpuQuota: 10_000 }, { nanoCpus: 1e9 }, conflict('Nano CPUs', 'CPU Quota')],
  [{ cpuQuota: 10_000 }, { cpuQuota: 20_000, cpuPeriod: 50_000 }, 'updated'],
  [{}, { cpusetCpus: '900' }, 'Requested CPUs are not available - requested 900, available: '],
  [{}, { pidsLimit: 0 }, 'updated'],
])('update of %j by %j: %s', async (hostConfig, resources, text) => {
  expect(await updated(hostConfig, resources)).toStartWith(text);
});

test('update: a refusal changes nothing, neither the stored limits nor those in force', async () => {
  const { containers, runtime } = fixture;
  const { id } = await containers.create(createRequestFixture({ hostConfig: { memory: 64 * MB } }));
  await containers.start(id);
  await expect(containers.update(id, { resources: { memory: 500 * MB, cpuShares: 5 } })).rejects.toThrow();
  expect(containers.get(id).hostConfig).toMatchObject({ memory: 64 * MB, cpuShares: 0 });
  expect(runtime.task(id).updates).toEqual([]);
});

test('update: keeps what a stop that came meanwhile has said', async () => {
  const { containers, runtime } = fixture;
  const hostConfig = { restartPolicy: { name: 'always', maximumRetryCount: 0 } } as const;
  const { id } = await containers.create(createRequestFixture({ hostConfig }));
  await containers.start(id);
  const task = runtime.task(id);
  const [applying, applied] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  task.update = async () => {
    applying.resolve();
    await applied.promise;
  };
  const updating = containers.update(id, { resources: { cpuShares: 512 } });
  await applying.promise;
  const stopping = containers.stop(id);
  applied.resolve();
  await Promise.all([updating, stopping]);
  expect(containers.get(id)).toMatchObject({
    manuallyStopped: true,
    state: { status: 'exited' },
    hostConfig: { cpuShares: 512 },
  });
});
