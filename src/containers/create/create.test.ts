import { afterEach, beforeEach, expect, test } from 'bun:test';
import { CONTAINER_DEFAULTS } from '../defaults.ts';
import type { ContainerConfig, HostConfig, MountRequest, Resources } from '../model.ts';
import {
  type ContainersFixture,
  configFixture,
  createContainersFixture,
  createRequestFixture,
  hostConfigFixture,
} from '../testing/index.ts';
import { checkResources, parseCpuList } from './check-resources.ts';
import { effectiveLogging } from './log-config.ts';
import { mergeImageConfig } from './merge-config.ts';
import { portRequests } from './ports.ts';
import { ALL_LIMITS } from './resource-host.ts';

let fixture: ContainersFixture;
beforeEach(async () => {
  fixture = await createContainersFixture();
});
afterEach(async () => {
  await fixture[Symbol.asyncDispose]();
});
const MB = 1024 * 1024;
const mount = (changes: Partial<MountRequest>): Partial<HostConfig> => ({
  mounts: [{ type: 'bind', source: '/tmp', target: '/x', readOnly: false, ...changes }],
});

/** What is asked for, and docker's text for refusing it. */
const refusals: [Partial<ContainerConfig>, Partial<HostConfig>, string][] = [
  [{ image: 'nope' }, {}, 'No such image: nope'],
  [{ workingDir: 'srv' }, {}, "the working directory 'srv' is invalid, it needs to be an absolute path"],
  [{ hostname: 'h'.repeat(65) }, {}, 'is too long (maximum 64 bytes)'],
  [{ env: ['=x'] }, {}, 'invalid environment variable: =x'],
  [{ user: '4294967296' }, {}, 'uids and gids must be in range 0-2147483647'],
  [{ user: '2147483648:0' }, {}, 'uids and gids must be in range 0-2147483647'],
  [{ user: '0:-1' }, {}, 'uids and gids must be in range 0-2147483647'],
  [{ stopSignal: 'BANANA' }, {}, 'Invalid signal: BANANA'],
  [{ healthcheck: { Interval: 1000 } }, {}, 'Interval in Healthcheck cannot be less than 1ms'],
  [{}, { memory: 1024 }, 'Minimum memory limit allowed is 6MB'],
  [
    {},
    { autoRemove: true, restartPolicy: { name: 'always', maximumRetryCount: 0 } },
    "can't create 'AutoRemove'",
  ],
  [{}, { restartPolicy: { name: 'always', maximumRetryCount: 2 } }, 'maximum retry count can only be used'],
  [{}, { runtime: 'nope' }, 'unknown or invalid runtime name: nope'],
  [{}, { logConfig: { type: 'nope', config: {} } }, "logger: no log driver named 'nope' is registered"],
  [{}, { logConfig: { type: '', config: { x: '1' } } }, "unknown log opt 'x' for json-file log driver"],
  [{}, { networkMode: 'nope' }, 'network nope not found'],
  [{}, { ipcMode: 'container:nope' }, 'No such container: nope'],
  [{}, { networkMode: 'container:web' }, 'cannot join own network namespace'],
  [{}, { pidMode: 'container:web' }, 'cannot join own PID namespace'],
  [{}, { ipcMode: 'container:web' }, 'cannot join own IPC namespace'],
  [{}, { networkMode: 'container' }, 'Invalid network mode: invalid container format container:<name|id>'],
  [{}, { networkMode: 'container:' }, 'Invalid network mode: invalid container format container:<name|id>'],
  [{ hostname: 'h' }, { networkMode: 'container:x' }, 'conflicting options: hostname and the network mode'],
  [{}, { portBindings: { '80x': [] } }, 'invalid port specification: "80x"'],
  [
    {},
    { portBindings: { '80/tcp': [{ hostIp: '', hostPort: '99999' }] } },
    'invalid port specification: "99999"',
  ],
  [{}, { binds: ['/a:b'] }, "invalid volume specification: '/a:b'"],
  [{}, { binds: ['/a:/b:rw:x'] }, "invalid volume specification: '/a:/b:rw:x'"],
  [{}, { binds: ['/a:/b:odd'] }, 'invalid mode: odd'],
  [{}, { binds: ['/a:/'] }, "destination can't be '/'"],
  [{}, { binds: ['/a:/b', '/c:/b/'] }, 'Duplicate mount point: /b'],
  [{}, { binds: ['x!:/b'] }, 'includes invalid characters for a local volume name'],
  [{}, { volumesFrom: ['nope'] }, 'No such container: nope'],
  [{}, { tmpfs: { '/t': 'odd' } }, 'invalid tmpfs option ["odd"]'],
  [{}, mount({ source: '/not/there' }), 'bind source path does not exist: /not/there'],
  [{}, mount({ target: 'rel' }), "invalid mount path: 'rel' mount path must be absolute"],
  [{}, mount({ type: 'npipe' }), 'invalid mount config for type "npipe": mount type unknown'],
  [{}, mount({ type: 'tmpfs' }), 'field Source must not be specified'],
  [{}, { capAdd: ['NOPE'] }, 'invalid CapAdd: unknown capability: "CAP_NOPE"'],
  [{}, { securityOpt: ['odd'] }, 'invalid --security-opt 1: "odd"'],
  [{}, { securityOpt: ['odd=1'] }, 'invalid --security-opt 2: "odd=1"'],
  [{}, { securityOpt: ['seccomp={'] }, 'decoding seccomp profile failed'],
  [{}, { ulimits: [{ name: 'odd', soft: 1, hard: 1 }] }, 'invalid ulimit type: odd'],
  [{}, { deviceCgroupRules: ['odd'] }, "invalid device cgroup rule format: 'odd'"],
  [{}, { ipcMode: 'odd' }, 'invalid IPC mode: odd'],
  [{}, { pidMode: 'odd' }, 'invalid PID mode: odd'],
  [{}, { extraHosts: ['odd'] }, 'bad format for add-host: "odd"'],
  [{}, { oomScoreAdj: 2000 }, 'range for oom score adj is [-1000, 1000]'],
  [{}, { shmSize: -1 }, 'SHM size can not be less than 0'],
];
for (const [config, hostConfig, text] of refusals) {
  test(`create: refuses ${JSON.stringify({ ...config, ...hostConfig }).slice(0, 90)}`, async () => {
    const request = createRequestFixture({ name: 'web', config, hostConfig });
    await expect(fixture.containers.create(request)).rejects.toThrow(text);
    expect(fixture.leftovers()).toEqual({ directories: [], snapshots: [], volumes: [] });
    await fixture.containers.create(createRequestFixture({ name: 'web' }));
  });
}

test.each([{ networkMode: 'nope' }, { pidMode: 'container:nope' }, { volumesFrom: ['nope'] }])(
  'create: %j is a mistake of the request, not a missing image',
  async (hostConfig) => {
    const request = createRequestFixture({ hostConfig });
    await expect(fixture.containers.create(request)).rejects.toMatchObject({ code: 'invalid_argument' });
  },
);

test('create: without any command it is refused', async () => {
  fixture.imageConfig = {};
  const request = createRequestFixture({ config: { cmd: undefined } });
  await expect(fixture.containers.create(request)).rejects.toThrow('no command specified');
});

test.each([[], ['']])('create: `--entrypoint ""` drops the image’s command as well (%j)', async (...cmd) => {
  const config = { entrypoint: [''], cmd: cmd.length === 0 ? undefined : cmd };
  const created = fixture.containers.create(createRequestFixture({ config }));
  if (cmd.length === 0) await expect(created).rejects.toThrow('no command specified');
  // Whether it can be run is found out when it is.
  else expect(fixture.containers.get((await created).id)).toMatchObject({ path: '', args: [] });
});

test('create: a failure half-way leaves nothing', async () => {
  fixture.snapshotter.failNext = new Error('disk full');
  const request = createRequestFixture({ name: 'web', hostConfig: { binds: ['data:/data', '/anon'] } });
  await expect(fixture.containers.create(request)).rejects.toThrow('disk full');
  expect(fixture.leftovers()).toEqual({ directories: [], snapshots: [], volumes: [] });
});

test('create: fills in what the user left open', async () => {
  const { id } = await fixture.containers.create(
    createRequestFixture({ hostConfig: { memory: 64 * MB, ipcMode: '', networkMode: '' } }),
  );
  const view = fixture.containers.get(id);
  expect(view.config.hostname).toBe(id.slice(0, 12));
  expect(view.name).toMatch(/^[a-z]+_[a-z]+\d*$/);
  expect(view.hostConfig).toMatchObject({
    memorySwap: 128 * MB,
    ipcMode: 'private',
    shmSize: 64 * MB,
    runtime: 'crun',
    networkMode: 'default',
    logConfig: { type: 'json-file', config: {} },
  });
});

test('create: volumes of image, flags and other containers; each destination once', async () => {
  fixture.imageConfig = { Cmd: ['sh'], Volumes: { '/image': {}, '/data': {} } };
  const donor = await fixture.containers.create(
    createRequestFixture({ name: 'donor', hostConfig: { binds: ['shared:/shared:ro', '/tmp:/host'] } }),
  );
  const { id } = await fixture.containers.create(
    createRequestFixture({
      config: { volumes: ['/own'] },
      hostConfig: { binds: ['named:/data'], volumesFrom: ['donor'], tmpfs: { '/own': '' } },
    }),
  );
  const mounts = fixture.containers.get(id).mounts.map(({ destination, type, name, rw }) => ({
    destination,
    type,
    name: name.length === 64 ? 'anonymous' : name,
    rw,
  }));
  expect(mounts).toEqual(
    expect.arrayContaining([
      { destination: '/shared', type: 'volume', name: 'shared', rw: false },
      { destination: '/host', type: 'bind', name: '', rw: true },
      { destination: '/data', type: 'volume', name: 'named', rw: true },
      { destination: '/image', type: 'volume', name: 'anonymous', rw: true },
    ]),
  );
  expect(mounts.some(({ destination }) => destination === '/own')).toBe(false);
  await expect(fixture.volumes.remove('shared')).rejects.toThrow('volume is in use');
  await fixture.containers.remove(donor.id, { volumes: true });
  await fixture.containers.remove(id, { volumes: true });
  expect(fixture.leftovers().volumes).toEqual(['named', 'shared']);
});

test('mergeImageConfig: the working directory is cleaned, whoever gave it', () => {
  const merged = (own: string, image: string) =>
    mergeImageConfig(configFixture({ workingDir: own }), { WorkingDir: image }).workingDir;
  expect(merged('/tmp/', '/srv')).toBe('/tmp');
  expect(merged('', '/srv//x/../')).toBe('/srv');
  expect(merged('/', '')).toBe('/');
  expect(merged('', '')).toBe('');
});

test('mergeImageConfig: a given entrypoint drops the image’s command, an empty one its entrypoint', () => {
  const image = { Entrypoint: ['/entry'], Cmd: ['default'], Env: ['A=1', 'B=2'], User: 'web' };
  const command = (changes: Partial<ContainerConfig>) => {
    const { entrypoint, cmd } = mergeImageConfig(configFixture({ cmd: undefined, ...changes }), image);
    return [entrypoint, cmd];
  };
  expect(command({})).toEqual([['/entry'], ['default']]);
  expect(command({ cmd: ['own'] })).toEqual([['/entry'], ['own']]);
  expect(command({ entrypoint: ['/mine'] })).toEqual([['/mine'], undefined]);
  expect(command({ entrypoint: [], cmd: ['own'] })).toEqual([[], ['own']]);
  const merged = mergeImageConfig(configFixture({ env: ['B=3', 'C='], user: '' }), image);
  expect(merged.env).toEqual(['B=3', 'C=', 'A=1']);
  expect(merged.user).toBe('web');
});

const limits: [Partial<Resources>, string][] = [
  [{ memorySwap: 8 * MB }, 'You should always set the Memory limit'],
  [{ memory: 8 * MB, memorySwap: 7 * MB }, 'Minimum memoryswap limit should be larger than memory limit'],
  [{ memorySwappiness: 101 }, 'valid memory swappiness range is 0-100'],
  [{ memoryReservation: 1 }, 'Minimum memory reservation allowed is 6MB'],
  [{ memory: 8 * MB, memoryReservation: 9 * MB }, 'can not be less than memory reservation limit'],
  [{ nanoCpus: 1e9, cpuPeriod: 1000 }, 'Nano CPUs and CPU Period cannot both be set'],
  [{ nanoCpus: 3e9 }, 'range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available'],
  [{ cpuPeriod: 1 }, 'CPU cfs period can not be less than 1ms'],
  [{ cpuQuota: 1 }, 'CPU cfs quota can not be less than 1ms'],
  [{ cpuShares: -1 }, 'invalid CPU shares (-1)'],
  [{ cpusetCpus: 'x' }, 'Invalid value x for cpuset cpus'],
  [{ cpusetCpus: '0-7' }, 'Requested CPUs are not available - requested 0-7, available: 0-1'],
  [{ cpusetCpus: '1-0' }, 'Invalid value 1-0 for cpuset cpus: invalid format: 1-0'],
  [{ cpusetCpus: ' 0' }, 'Invalid value  0 for cpuset cpus: invalid format:  0'],
  [{ cpusetMems: '9000' }, 'Invalid value 9000 for cpuset mems: value of out range, maximum is 8192'],
  [
    { cpuRealtimePeriod: 10, cpuRealtimeRuntime: 20 },
    'real-time runtime cannot be higher than cpu real-time',
  ],
  [{ blkioWeight: 5 }, 'Range of blkio weight is from 10 to 1000'],
];
for (const [changes, text] of limits) {
  test(`checkResources: refuses ${JSON.stringify(changes)}`, () => {
    const host = { cpus: 2, cpusetCpus: '0-1', cpusetMems: '0', supported: ALL_LIMITS };
    expect(() => checkResources(hostConfigFixture(changes), host)).toThrow(text);
  });
}

test('parseCpuList: ranges and single numbers; no endless ones', () => {
  expect(parseCpuList('0-2,5')).toEqual({ numbers: new Set([0, 1, 2, 5]) });
  expect(parseCpuList('0-99999999')).toEqual({ reason: 'value of out range, maximum is 8192' });
  expect(parseCpuList('2-1')).toEqual({ reason: 'invalid format: 2-1' });
});

test('portRequests: ranges, addresses, publish all', () => {
  const config = configFixture({ exposedPorts: ['80/tcp', '53/udp'] });
  const host = hostConfigFixture({
    networkMode: 'bridge',
    publishAllPorts: true,
    portBindings: { '80/tcp': [{ hostIp: '127.0.0.1', hostPort: '8000-8010' }] },
  });
  expect(portRequests(config, host)).toEqual([
    { containerPort: 80, protocol: 'tcp', hostIp: '127.0.0.1', hostPort: 8000, hostPortEnd: 8010 },
    { containerPort: 53, protocol: 'udp', hostIp: '', hostPort: undefined },
  ]);
  expect(portRequests(config, { ...host, networkMode: 'host' })).toEqual([]);
});

test('effectiveLogging: the daemon’s options count for the daemon’s driver only', () => {
  const defaults = { ...CONTAINER_DEFAULTS, logOptions: { 'max-size': '1m' } };
  const given = effectiveLogging({ type: '', config: { 'max-file': '2' } }, defaults);
  expect(given.config).toEqual({ type: 'json-file', config: { 'max-size': '1m', 'max-file': '2' } });
  expect(given.logging.rotation).toEqual({ maxBytes: 1_000_000, maxFiles: 2, compress: true });
  expect(effectiveLogging({ type: 'none', config: {} }, defaults).config.config).toEqual({});
  expect(effectiveLogging({ type: 'syslog', config: {} }, defaults).config.config).toEqual({});
});

test('effectiveLogging: by default logs are bounded (F5)', () => {
  const { logging } = effectiveLogging({ type: '', config: {} }, CONTAINER_DEFAULTS);
  expect(logging.rotation).toEqual({ maxBytes: 20 * MB, maxFiles: 5, compress: true });
});
