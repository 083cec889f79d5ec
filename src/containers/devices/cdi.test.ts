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
cdiVersion: "0.7.0"
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
  expect(spec.linux.devices).toContainEqual({ path: '/dev/x', type: 'c', major: 1, minor: 3, uid: 5 });
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
  const tooMany = await gpus({ count: 3_000_000 }).catch((error) => String(error));
  expect(tooMany).toContain('unresolvable CDI devices nvidia.com/gpu=2, nvidia.com/gpu=3');
  expect(String(tooMany).length).toBeLessThan(10_000);
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
    JSON.stringify({
      cdiVersion: '0.5.0',
      kind: 'a.b/c',
      devices: [{ name, containerEdits: { env: [`V=${value}`] } }],
    });
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

const HARDWARE = `
cdiVersion: 1.0.0
kind: vendor.com/hard.ware
devices:
  - name: all
    containerEdits:
      deviceNodes:
        - {path: /dev/gone, type: c, major: 240, minor: 7, fileMode: 0620, permissions: rw, gid: 9}
        - {path: /dev/pipe, type: p, fileMode: 438}
        - {path: /dev/zero}
      mounts:
        - {hostPath: tmpfs, containerPath: /scratch, type: tmpfs, options: [size=1m]}
      hooks:
        - {hookName: createContainer, path: /usr/bin/tool, args: [tool, link], env: [A=1], timeout: 3}
        - {hookName: createContainer, path: /usr/bin/tool, args: [tool, cache]}
        - {hookName: poststop, path: /usr/bin/tool}
      intelRdt: {closID: gold, l3CacheSchema: "L3:0=f"}
`;

test('a CDI device: numbers without a node, octal modes, other mounts, hooks, cache classes', async () => {
  write(0, 'hard.yaml', HARDWARE);
  const spec = await start(request({ deviceIds: ['vendor.com/hard.ware=all'] }));
  expect(spec.linux.devices).toEqual(
    expect.arrayContaining([
      { path: '/dev/gone', type: 'c', major: 240, minor: 7, fileMode: 0o620, gid: 9 },
      { path: '/dev/pipe', type: 'p', major: 0, minor: 0, fileMode: 0o666 },
      { path: '/dev/zero', type: 'c', major: 1, minor: 5 },
    ]),
  );
  const rules = spec.linux.resources?.devices?.slice(-2);
  expect(rules?.map(({ major, minor, access }) => [major, minor, access])).toEqual([
    [240, 7, 'rw'],
    [1, 5, 'rwm'],
  ]);
  expect(spec.mounts).toContainEqual({
    ...{ type: 'tmpfs', source: 'tmpfs', destination: '/scratch', options: ['size=1m'] },
  });
  expect(spec.hooks).toEqual({
    createContainer: [
      { path: '/usr/bin/tool', args: ['tool', 'link'], env: ['A=1'], timeout: 3 },
      { path: '/usr/bin/tool', args: ['tool', 'cache'] },
    ],
    poststop: [{ path: '/usr/bin/tool' }],
  });
  expect(spec.linux.intelRdt).toEqual({ closID: 'gold', l3CacheSchema: 'L3:0=f' });
});

const one = (containerEdits: object, cdiVersion = '1.1.0', more: object = {}) => ({
  ...{ cdiVersion, kind: 'a.b/c', devices: [{ name: 'x', containerEdits }], ...more },
});

test.each<[object, string]>([
  [{ deviceNodes: [{ path: '/dev/not-there' }] }, 'failed to stat CDI host device "/dev/not-there"'],
  [
    { deviceNodes: [{ path: '/dev/null', type: 'b' }] },
    'CDI device ("/dev/null", "/dev/null"), host type mismatch (b, c)',
  ],
  [{ netDevices: [{ hostInterfaceName: 'eth9', name: 'eth0' }] }, 'network devices are not supported: eth9'],
])('injection of %j fails: %s', async (edits, text) => {
  write(0, 'one.json', JSON.stringify(one(edits)));
  const started = start(request({ deviceIds: ['a.b/c=x'] }));
  await expect(started).rejects.toThrow(`CDI device injection failed: ${text}`);
});

test('what is written between two starts counts at the second', async () => {
  await expect(start(request({ deviceIds: ['a.b/c=x'] }))).rejects.toThrow(
    'unresolvable CDI devices a.b/c=x',
  );
  write(0, 'one.json', JSON.stringify(one({ env: ['NEW=1'] })));
  expect((await start(request({ deviceIds: ['a.b/c=x'] }))).process.env).toContain('NEW=1');
});

test('S14: neither labels nor annotations of an image, nor annotations of a container, ask for devices', async () => {
  write(0, 'vendor.yaml', SPEC);
  const smuggled = { 'cdi.k8s.io/x': 'vendor.com/class=x', 'cdi.k8s.io/vendor': 'vendor.com/class=x' };
  fixture.imageConfig = { Cmd: ['sh'], Labels: smuggled };
  const { containers, runtime } = fixture;
  const hostConfig = { annotations: smuggled };
  const { id } = await containers.create(createRequestFixture({ hostConfig }));
  await containers.start(id);
  const { spec } = runtime.task(id).options;
  expect(spec.process.env.join()).not.toContain('SHARED');
  expect(spec.linux.devices).toEqual([]);
  expect(spec.hooks).toBeUndefined();
});

const ENV = { env: ['A=1'] };
test.each<[unknown, string]>([
  [null, 'CDI spec is not an object'],
  [{ ...one(ENV), kind: 'a' }, 'invalid CDI kind "a"'],
  [{ ...one(ENV), kind: 'a/b.' }, 'invalid CDI kind "a/b."'],
  [{ ...one(ENV), devices: {} }, 'devices is not a list'],
  [{ ...one(ENV), devices: [] }, 'invalid CDI spec, no devices'],
  [{ ...one(ENV), devices: [{ name: '', containerEdits: ENV }] }, 'invalid CDI device name ""'],
  [one({}), 'invalid CDI device "x", empty device edits'],
  [one({ env: [1] }), 'env is not a text'],
  [one({ env: ['A'] }), 'invalid environment variable "A"'],
  [one({ deviceNodes: [{ path: '/x', uid: -1 }] }), 'uid is not a number'],
  [one({ deviceNodes: [{ path: '/x', permissions: 'x' }] }), 'invalid CDI device permissions "x"'],
  [one({ deviceNodes: [{ path: '/x', type: 'z' }] }), 'invalid type "z"'],
  [one({ hooks: [{ hookName: 'odd', path: '/x' }] }), 'invalid hookName "odd"'],
  [one({ hooks: [{ hookName: 'poststop', path: 'x' }] }), 'path of a hook is not absolute'],
  [one({ intelRdt: { closID: '..' } }), 'invalid closID of intelRdt'],
  [one({ odd: 1 }), 'containerEdits: unknown field "odd"'],
  [one(ENV, '7.0.0'), 'invalid CDI version "7.0.0"'],
  [one({ additionalGids: [5] }, '0.6.0'), 'the CDI spec version must be at least v0.7.0'],
  [one(ENV, '0.5.0', { annotations: {} }), 'the CDI spec version must be at least v0.6.0'],
  [
    one({ mounts: [{ hostPath: '/x', containerPath: '/x', type: 'bind' }] }, '0.3.0'),
    'the CDI spec version must be at least v0.4.0',
  ],
])('decodeCdiSpec refuses %j: %s', (value, text) => {
  expect(() => decodeCdiSpec(value)).toThrow(text);
});
