import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '#base';
import type { DeviceRequest } from '../model.ts';
import { type ContainersFixture, createContainersFixture, createRequestFixture } from '../testing/index.ts';
import { CdiRegistry } from './cdi-registry.ts';
import { decodeCdiSpec } from './cdi-spec.ts';

let root: string;
let directories: string[];
let fixture: ContainersFixture;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'gantry-cdi-'));
  directories = [join(root, 'etc'), join(root, 'run')];
  for (const directory of directories) mkdirSync(directory);
  fixture = await createContainersFixture({ defaults: { cdiSpecDirs: directories } });
});
afterEach(async () => {
  await fixture[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
});

const SPEC = `
cdiVersion: "0.6.0"
kind: vendor.com/class
containerEdits:
  env: [SHARED=1]
devices:
  - name: x
    containerEdits:
      env: [X=yes, PATH=/x]
      deviceNodes:
        - {path: /dev/x, hostPath: /dev/null, permissions: r, uid: 5}
      mounts:
        - {hostPath: /lib/x, containerPath: /usr/lib/x, options: [ro, nosuid]}
      additionalGids: [44]
  - name: 0
    containerEdits: {env: [ZERO=1]}
`;
const write = (directory: number, name: string, text: string) =>
  writeFileSync(join(directories[directory] ?? '', name), text);
const request = (changes: Partial<DeviceRequest>): DeviceRequest => ({
  driver: 'cdi',
  count: 0,
  deviceIds: [],
  capabilities: [],
  options: {},
  ...changes,
});

async function start(...deviceRequests: DeviceRequest[]) {
  const { containers, runtime } = fixture;
  const { id } = await containers.create(createRequestFixture({ hostConfig: { deviceRequests } }));
  await containers.start(id);
  return runtime.task(id).options.spec;
}

test('a CDI device: node, rule, mount, variables, group; the shared part once', async () => {
  write(0, 'vendor.yaml', SPEC);
  const spec = await start(request({ deviceIds: ['vendor.com/class=x', 'vendor.com/class=0'] }));
  expect(spec.process.env).toEqual(expect.arrayContaining(['SHARED=1', 'X=yes', 'PATH=/x', 'ZERO=1']));
  expect(spec.process.user.additionalGids).toContain(44);
  expect(spec.linux.devices).toContainEqual(
    expect.objectContaining({ path: '/dev/x', type: 'c', major: 1, minor: 3, uid: 5 }),
  );
  expect(spec.linux.resources?.devices).toContainEqual({
    allow: true,
    type: 'c',
    major: 1,
    minor: 3,
    access: 'r',
  });
  expect(spec.mounts).toContainEqual({
    type: 'bind',
    source: '/lib/x',
    destination: '/usr/lib/x',
    options: ['rbind', 'ro', 'nosuid'],
  });
});

test('--gpus takes what the machine has described as a GPU', async () => {
  const devices = ['0', '1', 'all'].map((name) => ({ name, containerEdits: { env: [`GPU_${name}=1`] } }));
  write(1, 'nvidia.json', JSON.stringify({ cdiVersion: '0.5.0', kind: 'nvidia.com/gpu', devices }));
  const gpus = (changes: Partial<DeviceRequest>) =>
    start(request({ driver: '', capabilities: [['gpu']], ...changes }));
  expect((await gpus({ count: -1 })).process.env).toContain('GPU_all=1');
  expect((await gpus({ count: 2 })).process.env).toEqual(expect.arrayContaining(['GPU_0=1', 'GPU_1=1']));
  expect((await gpus({ deviceIds: ['1'] })).process.env).not.toContain('GPU_0=1');
});

test.each<[DeviceRequest, string]>([
  [
    request({ deviceIds: ['vendor.com/class=y', 'nonsense'] }),
    'CDI device injection failed: unresolvable CDI devices vendor.com/class=y, nonsense',
  ],
  [request({ count: 1 }), 'unexpected count in CDI device request'],
  [
    request({ driver: '', count: -1, capabilities: [['gpu']] }),
    'could not select device driver "" with capabilities: [[gpu]]',
  ],
  [
    request({ driver: 'other', capabilities: [['a', 'b'], ['c']] }),
    'could not select device driver "other" with capabilities: [[a b] [c]]',
  ],
])('start with %j is refused and leaves nothing', async (given, text) => {
  write(0, 'vendor.yaml', SPEC);
  await expect(start(given)).rejects.toThrow(text);
  expect(fixture.snapshotter.mounted.size).toBe(0);
  expect(fixture.runtime.tasks.size).toBe(0);
});

test('CdiRegistry: later directories win, contradictions within one are nobody, broken files are left out', () => {
  const device = (name: string, value: string) =>
    JSON.stringify({ kind: 'a.b/c', devices: [{ name, containerEdits: { env: [`V=${value}`] } }] });
  write(0, 'one.json', device('x', 'etc'));
  write(1, 'one.json', device('x', 'run'));
  write(0, 'two.json', device('y', '1'));
  write(0, 'three.json', device('y', '2'));
  write(0, 'broken.yaml', 'kind: [');
  write(0, 'wrong.json', '{"kind": "no-slash"}');
  const registry = new CdiRegistry([...directories, join(root, 'missing')], silentLogger);
  expect(registry.names).toEqual(['a.b/c=x']);
  expect(registry.resolve(['a.b/c=x']).at(-1)?.env).toEqual(['V=run']);
});

test.each([
  [{ kind: 'a' }],
  [{ kind: 'a/b', devices: {} }],
  [{ kind: 'a/b', devices: [{ name: '' }] }],
  [{ kind: 'a/b', devices: [{ name: 'x', containerEdits: { env: [1] } }] }],
  [{ kind: 'a/b', containerEdits: { deviceNodes: [{ path: '/x', uid: -1 }] } }],
  [null],
])('decodeCdiSpec refuses %j', (value) => {
  expect(() => decodeCdiSpec(value)).toThrow();
});
