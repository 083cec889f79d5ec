import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HostConfig, Resources } from '../model.ts';
import { writeBlockThrottles } from '../spec/block-throttles.ts';
import {
  type ContainersFixture,
  createContainersFixture,
  createRequestFixture,
  hostConfigFixture,
} from '../testing/index.ts';
import { checkResources } from './check-resources.ts';
import { discardLimits } from './discard-limits.ts';
import { ALL_LIMITS, type OptionalLimit, type ResourceHost, readResourceHost } from './resource-host.ts';

let root: string;
let fixture: ContainersFixture;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'gantry-limits-'));
  fixture = await createContainersFixture();
});
afterEach(async () => {
  await fixture[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
});

const MB = 1024 * 1024;

/** A machine as recorded: files of its cgroup trees, and of /proc below `root`. */
function machine(
  mode: 'unified' | 'legacy',
  files: Readonly<Record<string, string>>,
  own = '0::/\n',
): ResourceHost {
  mkdirSync(join(root, 'self'), { recursive: true });
  writeFileSync(join(root, 'self/cgroup'), own);
  const read = (controller: string, path: string, file: string) =>
    files[join(mode === 'unified' ? '/' : controller, path, file)];
  return readResourceHost({ mode, read }, { proc: root });
}

test('readResourceHost: v2 lacks what only v1 has, and swap where there is none', () => {
  const files = {
    '/cgroup.controllers': 'cpuset cpu io memory pids',
    '/cpuset.cpus.effective': '0-3',
    '/cpuset.mems.effective': '0-1',
    '/system.slice/gantry.service/memory.swap.max': 'max',
  };
  const atRoot = machine('unified', files);
  const lacking = [...ALL_LIMITS].filter((name) => !atRoot.supported.has(name));
  expect(lacking).toEqual(['swap', 'swappiness', 'oomKillDisable', 'realtime']);
  expect([atRoot.cpusetCpus, atRoot.cpusetMems]).toEqual(['0-3', '0-1']);
  const inService = (name: string) => machine('unified', files, `0::/system.slice/${name}.service\n`);
  expect(inService('gantry').supported.has('swap')).toBe(true);
  expect(inService('other').supported.has('swap')).toBe(false);
});

test('readResourceHost: v1 goes by the files of the kernel', () => {
  const host = machine('legacy', {
    'memory/memory.limit_in_bytes': '1',
    'cpu/cpu.shares': '1024',
    'cpuset/cpuset.cpus': '0-1',
    'blkio/blkio.bfq.io_serviced': '',
    'blkio/blkio.throttle.read_bps_device': '',
    'pids/cgroup.procs': '',
  });
  expect([...host.supported]).toEqual(['memory', 'pids', 'shares', 'cpuset', 'blockWeight', 'readBps']);
  expect(host.cpusetCpus).toBe('0-1');
});

const node = [{ path: '/dev/null', rate: 1 }];
const discarded: [OptionalLimit, Partial<Resources>, Partial<Resources>, string][] = [
  ['memory', { memory: MB }, { memory: 0, memorySwap: -1 }, 'memory limit capabilities'],
  [
    'swap',
    { memory: MB, memorySwap: 2 * MB },
    { memory: MB, memorySwap: -1 },
    'Memory limited without swap.',
  ],
  ['swappiness', { memorySwappiness: 5 }, { memorySwappiness: undefined }, 'Memory swappiness discarded.'],
  ['reservation', { memoryReservation: MB }, { memoryReservation: 0 }, 'memory soft limit capabilities'],
  ['oomKillDisable', { oomKillDisable: true }, { oomKillDisable: undefined }, 'OomKillDisable discarded.'],
  ['pids', { pidsLimit: 5 }, { pidsLimit: undefined }, 'PIDs limit discarded.'],
  ['shares', { cpuShares: 5 }, { cpuShares: 0 }, 'Shares discarded.'],
  ['quota', { cpuQuota: 5000 }, { cpuQuota: 0 }, 'CPU period/quota discarded.'],
  ['cpuset', { cpusetCpus: '0' }, { cpusetCpus: '' }, 'Cpuset discarded.'],
  ['blockWeight', { blkioWeight: 5 }, { blkioWeight: 0 }, 'Weight discarded.'],
  ['readBps', { blkioDeviceReadBps: node }, { blkioDeviceReadBps: [] }, 'BPS read limit discarded.'],
  ['writeBps', { blkioDeviceWriteBps: node }, { blkioDeviceWriteBps: [] }, 'BPS write limit discarded.'],
  ['readIOps', { blkioDeviceReadIOps: node }, { blkioDeviceReadIOps: [] }, 'IOPS read limit discarded.'],
  ['writeIOps', { blkioDeviceWriteIOps: node }, { blkioDeviceWriteIOps: [] }, 'IOPS write limit discarded.'],
];
test.each(discarded)('discardLimits: without %s, %j becomes %j', (limit, given, left, text) => {
  const supported = new Set([...ALL_LIMITS].filter((name) => name !== limit));
  const { value, warnings } = discardLimits(hostConfigFixture(given), { supported });
  expect(value).toMatchObject(left);
  expect(warnings).toEqual([expect.stringContaining(text)]);
  expect(discardLimits(hostConfigFixture(given), { supported: ALL_LIMITS }).value).toMatchObject(given);
});

test('discardLimits: without the killer and a limit, all memory may go', () => {
  const warnings = (given: Partial<Resources>) =>
    discardLimits(hostConfigFixture(given), { supported: ALL_LIMITS }).warnings.join();
  expect(warnings({ oomKillDisable: true })).toStartWith('OOM killer is disabled for the container, but no');
  expect(warnings({ oomKillDisable: true, memory: 8 * MB })).toBe('');
});

test.each<[Partial<Resources>, string]>([
  [{ nanoCpus: 1e9 }, 'NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler'],
  [{ cpuRealtimePeriod: 1000 }, 'kernel does not support CPU real-time scheduler'],
])('checkResources: %j is refused by a kernel that has none', (given, text) => {
  const host = { cpus: 2, cpusetCpus: '0-1', cpusetMems: '0', supported: new Set<OptionalLimit>() };
  expect(() => checkResources(hostConfigFixture(given), host)).toThrow(text);
});

test.each<[Partial<HostConfig>, string]>([
  [{ cpuPercent: 5 }, 'linux does not support CPU percent. Percent discarded.'],
  [{ oomKillDisable: true }, 'Your kernel does not support OomKillDisable. OomKillDisable discarded.'],
  [
    { networkMode: 'host', portBindings: { '80/tcp': [{ hostIp: '', hostPort: '1' }] } },
    'Published ports are discarded when using host network mode',
  ],
])('create with %j warns', async (hostConfig, text) => {
  const { warnings } = await fixture.containers.create(createRequestFixture({ hostConfig }));
  expect(warnings.join('\n')).toContain(text);
});

test('create: what is shown is what is in effect', async () => {
  const shown = async (hostConfig: Partial<HostConfig>) => {
    const { id } = await fixture.containers.create(createRequestFixture({ hostConfig }));
    return fixture.containers.get(id).hostConfig;
  };
  const plain = await shown({ pidsLimit: -1, memory: 8 * MB, memorySwap: -5 });
  expect(plain).toMatchObject({ pidsLimit: undefined, memorySwap: -1 });
  expect(plain.maskedPaths).toContain('/proc/kcore');
  expect(plain.readonlyPaths).toContain('/proc/sys');
  expect((await shown({ privileged: true })).maskedPaths).toBeUndefined();
  expect((await shown({ maskedPaths: [] })).maskedPaths).toEqual([]);
});

test('create: the daemon says which cgroup namespace is the usual one', async () => {
  await using host = await createContainersFixture({ defaults: { cgroupnsMode: 'host' } });
  const mode = async (cgroupnsMode: string) => {
    const { id } = await host.containers.create(createRequestFixture({ hostConfig: { cgroupnsMode } }));
    return host.containers.get(id).hostConfig.cgroupnsMode;
  };
  expect([await mode(''), await mode('private')]).toEqual(['host', 'private']);
});

test.each([
  [{ size: '10G' }, "--storage-opt is supported only for overlay over xfs with 'pquota' mount option"],
  [{ odd: '1' }, 'unknown option odd'],
])('create with storage options %j is refused', async (storageOpt, text) => {
  const request = createRequestFixture({ hostConfig: { storageOpt } });
  await expect(fixture.containers.create(request)).rejects.toThrow(text);
  expect(fixture.leftovers().directories).toEqual([]);
});

test('update: what is shown is what the kernel makes of it', async () => {
  const { id } = await fixture.containers.create(createRequestFixture({}));
  const shown = async (resources: Partial<Resources>) => {
    await fixture.containers.update(id, { resources });
    return fixture.containers.get(id).hostConfig;
  };
  expect((await shown({ cpuShares: 1 })).cpuShares).toBe(2);
  expect((await shown({ cpuShares: 999_999 })).cpuShares).toBe(262_144);
  expect((await shown({ pidsLimit: -7 })).pidsLimit).toBe(0);
});

test('create: a named volume without a mode is for all containers', async () => {
  const hostConfig = { binds: ['named:/a', 'named2:/b:ro', 'named3:/c:Z', '/tmp:/d'] };
  const { id } = await fixture.containers.create(createRequestFixture({ hostConfig }));
  const modes = fixture.containers.get(id).mounts.map(({ destination, mode }) => [destination, mode]);
  expect(Object.fromEntries(modes)).toEqual({ '/a': 'z', '/b': 'ro', '/c': 'Z', '/d': '' });
});

test('update: limits that it does not name stay', async () => {
  const hostConfig = { pidsLimit: 50, memory: 64 * MB, cpuShares: 512 };
  const { id } = await fixture.containers.create(createRequestFixture({ hostConfig }));
  await fixture.containers.update(id, { resources: { memory: 32 * MB } });
  expect(fixture.containers.get(id).hostConfig).toMatchObject({ ...hostConfig, memory: 32 * MB });
});

test('writeBlockThrottles: the files of v1, the keys of v2; zero is none', () => {
  const rates = (rate: number) => [{ path: '/dev/null', rate }];
  const given = hostConfigFixture({ blkioDeviceReadBps: rates(5), blkioDeviceWriteIOps: rates(0) });
  const written = (mode: 'unified' | 'legacy'): string[] => {
    const lines: string[] = [];
    const write = (...words: string[]) => void lines.push(words.join(' '));
    writeBlockThrottles({ mode, write }, '/c', given);
    return lines;
  };
  expect(written('legacy')).toEqual([
    'blkio /c blkio.throttle.read_bps_device 1:3 5',
    'blkio /c blkio.throttle.write_iops_device 1:3 0',
  ]);
  expect(written('unified')).toEqual(['io /c io.max 1:3 rbps=5', 'io /c io.max 1:3 wiops=max']);
});

test('update: what a container keeps for life cannot be changed by it', async () => {
  const { id } = await fixture.containers.create(createRequestFixture({}));
  const resources = {
    cgroupParent: '/elsewhere',
    deviceCgroupRules: ['a *:* rwm'],
    cpuPercent: 5,
    cpuShares: 9,
  };
  const { warnings } = await fixture.containers.update(id, { resources });
  expect(warnings).toEqual(['linux does not support CPU percent. Percent discarded.']);
  const { hostConfig } = fixture.containers.get(id);
  expect(hostConfig).toMatchObject({ cgroupParent: '', deviceCgroupRules: [], cpuShares: 9, cpuPercent: 0 });
});

test('discardLimits: docker’s order, and nothing about what depends on what is gone', () => {
  const given = hostConfigFixture({
    memory: 64 * MB,
    memorySwap: 128 * MB,
    oomKillDisable: true,
    pidsLimit: 5,
    cpuPercent: 10,
    cpusetCpus: '0',
  });
  const supported = new Set<OptionalLimit>(['oomKillDisable']);
  const { warnings } = discardLimits(given, { supported });
  expect(warnings.map((text) => text.replace('Your kernel does not support ', '').slice(0, 12))).toEqual([
    'memory limit',
    'OOM killer i',
    'PIDs limit c',
    'linux does n',
    'cpuset or th',
  ]);
});
