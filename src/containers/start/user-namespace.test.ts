import { afterEach, beforeEach, expect, test } from 'bun:test';
import { statSync } from 'node:fs';
import type { Spec } from '#oci';
import type { HostConfig } from '../model.ts';
import { type ContainersFixture, createContainersFixture, createRequestFixture } from '../testing/index.ts';

/** Maps root to whoever runs the tests, so that files can be given to it without privileges. */
const self = (id: number | undefined) => [{ containerID: 0, hostID: id ?? 0, size: 65_536 }];
const idMappings = { uids: self(process.getuid?.()), gids: self(process.getgid?.()) };

let fixture: ContainersFixture;
let specs: Spec[];
beforeEach(async () => {
  fixture = await createContainersFixture({ defaults: { idMappings } });
  specs = [];
  const create = fixture.runtime.create.bind(fixture.runtime);
  fixture.runtime.create = (options) => {
    specs.push(options.spec);
    return create(options);
  };
});
afterEach(async () => {
  await fixture[Symbol.asyncDispose]();
});

async function start(name: string, hostConfig: Partial<HostConfig> = {}): Promise<Spec> {
  const { id } = await fixture.containers.create({ ...createRequestFixture({ hostConfig }), name });
  await fixture.containers.start(id);
  const spec = specs.at(-1);
  if (!spec) throw new Error('nothing was started');
  return spec;
}
const userPathOf = (spec: Spec) => spec.linux.namespaces.find(({ type }) => type === 'user')?.path;

test('start: a container joins a user namespace that was made for it, with the network it owns', async () => {
  const spec = await start('mapped', { ipcMode: 'shareable' });
  expect(spec.linux.uidMappings).toEqual(idMappings.uids);
  expect(spec.linux.gidMappings).toEqual(idMappings.gids);
  expect(userPathOf(spec)).toEndWith('/ns/user');
  expect(fixture.sys.named('namespaces.createUser')).toMatchObject([
    { args: [idMappings, { network: true }] },
  ]);
  const shm = fixture.sys.named('mounts.mount').at(-1)?.args[0];
  expect(shm).toMatchObject({ data: expect.stringContaining(`,uid=${idMappings.uids[0]?.hostID},gid=`) });
  const hosts = spec.mounts.find(({ destination }) => destination === '/etc/hosts')?.source ?? '';
  expect(statSync(hosts).uid).toBe(idMappings.uids[0]?.hostID ?? -1);
});

test('start: who shares namespaces of another joins its user namespace', async () => {
  await start('donor');
  const { state } = fixture.containers.get('donor');
  const spec = await start('guest', { networkMode: 'container:donor' });
  expect(userPathOf(spec)).toBe(`/proc/${state.status === 'running' ? state.pid : ''}/ns/user`);
  expect(fixture.sys.named('namespaces.createUser')).toHaveLength(1);
});

test('start: --userns=host has none, also beside mapped ones', async () => {
  await start('donor');
  const spec = await start('host', { usernsMode: 'host', networkMode: 'container:donor' });
  expect(userPathOf(spec)).toBeUndefined();
  expect(spec.linux.uidMappings).toBeUndefined();
});
