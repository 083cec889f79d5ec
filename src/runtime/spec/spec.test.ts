import { expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Sys } from '#sys';
import type { SpecInput } from '../types.ts';
import { buildProcess, buildSpec, type SpecHost } from './build-spec.ts';
import {
  ALL_CAPABILITIES,
  availableCapabilities,
  DEFAULT_CAPABILITIES,
  resolveCapabilities,
} from './capabilities.ts';
import { splitDevice } from './devices.ts';
import { findInit } from './init.ts';
import { cutOomScoreAdj, cutRlimits, type LimitHost, UNLIMITED } from './limits.ts';
import { serializeProcess, serializeSpec } from './serialize.ts';

const host: SpecHost = {
  architecture: 'x64',
  kernelRelease: '6.1.0',
  devices: () => [{ path: '/dev/fuse', type: 'c', major: 10, minor: 229, fileMode: 0o666, uid: 0, gid: 0 }],
  extraMaskedPaths: ['/sys/devices/system/cpu/cpu0/thermal_throttle'],
};

const input = (change: Partial<SpecInput> = {}): SpecInput => ({
  id: 'c1',
  rootfs: '/data/c1/merged',
  readonlyRootfs: false,
  hostname: 'box',
  domainname: undefined,
  process: {
    args: ['sh', '-c', 'true'],
    env: ['PATH=/bin'],
    cwd: '/work',
    uid: 0,
    gid: 0,
    additionalGids: [10],
    capabilities: DEFAULT_CAPABILITIES,
    noNewPrivileges: false,
    rlimits: [],
    oomScoreAdj: 0,
  },
  terminal: false,
  namespaces: [
    { type: 'mount' },
    { type: 'network', path: '/run/netns/x' },
    { type: 'uts' },
    { type: 'pid' },
    { type: 'ipc' },
  ],
  mounts: [],
  shmSizeBytes: 67_108_864,
  devices: [],
  deviceRules: [],
  privileged: false,
  resources: { pids: { limit: 100 } },
  cgroupsPath: '/gantry/c1',
  sysctls: {},
  seccomp: { kind: 'default' },
  maskedPaths: undefined,
  readonlyPaths: undefined,
  annotations: {},
  ...change,
});

/** Compares with `testdata/<name>.json`; `UPDATE_GOLDEN=1` writes it, to be reviewed as a diff. */
function expectGolden(name: string, value: unknown): void {
  const path = join(import.meta.dir, 'testdata', `${name}.json`);
  const text = `${JSON.stringify(value, undefined, 2)}\n`;
  if (process.env['UPDATE_GOLDEN']) writeFileSync(path, text);
  expect(text).toBe(readFileSync(path, 'utf8'));
}

const withoutSeccomp = (change: Partial<SpecInput> = {}) => {
  const spec = buildSpec(input(change), host);
  delete spec.linux.seccomp;
  return spec;
};

test('buildSpec: an ordinary container', () => expectGolden('default', withoutSeccomp()));

test('buildSpec: a privileged container', () =>
  expectGolden('privileged', buildSpec(input({ privileged: true, seccomp: { kind: 'unconfined' } }), host)));

test('buildSpec: a filter is there by default and not when unconfined', () => {
  expect(buildSpec(input(), host).linux.seccomp?.defaultAction).toBe('SCMP_ACT_ERRNO');
  expect(buildSpec(input({ seccomp: { kind: 'unconfined' } }), host).linux.seccomp).toBeUndefined();
});

test('buildSpec: user mounts replace defaults and go shallow first', () => {
  const mount = (destination: string) => ({ destination, type: 'bind', source: '/s', options: ['rbind'] });
  const { mounts } = withoutSeccomp({ mounts: [mount('/a/b/c'), mount('/a'), mount('/dev/shm')] });
  const destinations = mounts.map(({ destination }) => destination);
  expect(destinations.slice(-3)).toEqual(['/a', '/dev/shm', '/a/b/c']);
  expect(destinations.filter((destination) => destination === '/dev/shm')).toHaveLength(1);
  const whole = withoutSeccomp({ mounts: [mount('/dev')] }).mounts.map(({ destination }) => destination);
  expect(whole).toEqual(['/proc', '/sys', '/sys/fs/cgroup', '/dev']);
});

test("buildSpec: a user namespace has no queues of the host's IPC namespace, and leaves ports as they are", () => {
  const spec = withoutSeccomp({
    namespaces: [
      { type: 'user', path: '/u' },
      { type: 'network', path: '/n' },
    ],
  });
  expect(spec.mounts.some(({ destination }) => destination === '/dev/mqueue')).toBe(false);
  expect(spec.linux.sysctl).toEqual({});
  const own = withoutSeccomp({ namespaces: [{ type: 'user' }, { type: 'ipc' }] });
  expect(own.mounts.some(({ destination }) => destination === '/dev/mqueue')).toBe(true);
});

test('buildSpec: no shared memory where none is wanted; cgroups are writable where they are asked to be', () => {
  const spec = withoutSeccomp({ shmSizeBytes: undefined, writableCgroups: true });
  expect(spec.mounts.some(({ destination }) => destination === '/dev/shm')).toBe(false);
  const options = (destination: string) =>
    spec.mounts.find((mount) => mount.destination === destination)?.options;
  expect(options('/sys/fs/cgroup')).toEqual(['nosuid', 'noexec', 'nodev']);
  expect(options('/sys')).toContain('ro');
});

test('buildSpec: shared memory of another container is bound', () => {
  const shm = withoutSeccomp({ shmPath: '/run/shm/c0' }).mounts.find(
    ({ destination }) => destination === '/dev/shm',
  );
  expect(shm).toEqual({
    destination: '/dev/shm',
    type: 'bind',
    source: '/run/shm/c0',
    options: ['rbind', 'rprivate'],
  });
});

test('buildSpec: --init binds the binary and goes in front of the command', () => {
  const spec = withoutSeccomp({ initPath: '/usr/bin/tini' });
  expect(spec.process.args).toEqual(['/sbin/docker-init', '--', 'sh', '-c', 'true']);
  expect(spec.mounts.at(-1)).toMatchObject({
    destination: '/sbin/docker-init',
    source: '/usr/bin/tini',
    options: ['bind', 'ro', 'rprivate'],
  });
});

test('buildSpec: annotations that steer the runtime never come from clients', () => {
  expect(withoutSeccomp({ annotations: { 'run.oci.handler': 'x', mine: 'y' } }).annotations).toEqual({
    mine: 'y',
  });
});

test('buildSpec: propagation of mounts reaches the root', () => {
  const root = (option: string) =>
    withoutSeccomp({
      mounts: [{ source: '/a', destination: '/a', type: 'bind', options: ['rbind', option] }],
    }).linux.rootfsPropagation;
  expect(root('rprivate')).toBeUndefined();
  expect(root('rshared')).toBe('shared');
  expect(root('rslave')).toBe('rslave');
});

test('buildSpec: given masks replace the default ones, an empty list means none', () => {
  expect(withoutSeccomp({ maskedPaths: ['/x'], readonlyPaths: [] }).linux).toMatchObject({
    maskedPaths: ['/x'],
    readonlyPaths: [],
  });
});

test("buildSpec: ports and ping are free in a network namespace of its own, not in the host's", () => {
  expect(withoutSeccomp({ namespaces: [], domainname: 'd', sysctls: { a: 'b' } }).linux.sysctl).toEqual({
    'kernel.domainname': 'd',
    a: 'b',
  });
});

test('buildProcess: nothing inheritable or ambient; the console size only with a terminal', () => {
  const size = { rows: 1, columns: 2 };
  const plain = buildProcess(input().process, { terminal: false, consoleSize: size });
  expect(plain.capabilities).toMatchObject({
    inheritable: [],
    ambient: [],
    bounding: [...DEFAULT_CAPABILITIES],
  });
  expect(plain.consoleSize).toBeUndefined();
  expect(buildProcess(input().process, { terminal: true, consoleSize: size }).consoleSize).toEqual({
    height: 1,
    width: 2,
  });
});

test('buildProcess: another user than root holds nothing, its bounding set stays', () => {
  const { capabilities } = buildProcess({ ...input().process, uid: 5 }, { terminal: false });
  expect(capabilities).toMatchObject({ bounding: [...DEFAULT_CAPABILITIES], effective: [], permitted: [] });
  const held = buildProcess(
    { ...input().process, uid: 5, holdsCapabilities: true },
    { terminal: false },
  ).capabilities;
  const all = [...DEFAULT_CAPABILITIES];
  expect(held).toMatchObject({ bounding: all, effective: all, permitted: all, inheritable: [], ambient: [] });
});

test('serializeSpec: unlimited is RLIM_INFINITY, and only in limits', () => {
  const rlimits = [{ type: 'RLIMIT_CORE', soft: 0, hard: UNLIMITED }];
  const spec = withoutSeccomp({ process: { ...input().process, rlimits, args: ['-1'] } });
  expect(serializeSpec(spec)).toContain(
    '"rlimits":[{"type":"RLIMIT_CORE","soft":0,"hard":18446744073709551615}]',
  );
  expect(serializeProcess(spec.process)).toContain('"args":["-1"]');
});

const available = ALL_CAPABILITIES.filter((name) => name !== 'CAP_SYS_RESOURCE');
const capabilities = (change: Partial<Parameters<typeof resolveCapabilities>[0]>) =>
  resolveCapabilities({ add: [], drop: [], privileged: false, available, ...change });

test('resolveCapabilities: add and drop as docker has them', () => {
  expect(capabilities({}).value).toEqual([...DEFAULT_CAPABILITIES]);
  expect(capabilities({ add: ['net_admin', 'CAP_CHOWN'], drop: ['mknod'] }).value).toEqual([
    ...DEFAULT_CAPABILITIES.filter((name) => name !== 'CAP_MKNOD'),
    'CAP_NET_ADMIN',
  ]);
  expect(capabilities({ drop: ['ALL'], add: ['KILL'] }).value).toEqual(['CAP_KILL']);
  expect(capabilities({ add: ['ALL'], drop: ['SYS_ADMIN'] }).value).toEqual(
    available.filter((name) => name !== 'CAP_SYS_ADMIN'),
  );
  expect(() => capabilities({ add: ['nope'] })).toThrow('invalid CapAdd: unknown capability: "CAP_NOPE"');
  expect(() => capabilities({ drop: ['nope'] })).toThrow('invalid CapDrop: unknown capability: "CAP_NOPE"');
});

test('resolveCapabilities: what the daemon lacks is left out, with a warning where it was named', () => {
  expect(capabilities({ privileged: true })).toEqual({ value: available, warnings: [] });
  expect(capabilities({ add: ['ALL'] }).warnings).toEqual([]);
  const named = capabilities({ add: ['SYS_RESOURCE'] });
  expect(named.value).not.toContain('CAP_SYS_RESOURCE');
  expect(named.warnings).toEqual([
    'capability CAP_SYS_RESOURCE was not granted: the daemon does not have it itself',
  ]);
});

test("availableCapabilities: the daemon's own, in order", () => {
  const sys = {
    processes: { effectiveCapabilities: () => ['CAP_KILL', 'CAP_CHOWN', 'CAP_OF_THE_FUTURE'] },
  } as unknown as Sys;
  expect(availableCapabilities(sys)).toEqual(['CAP_CHOWN', 'CAP_KILL']);
});

test('cutRlimits and cutOomScoreAdj: only what the daemon may give', () => {
  const limits: LimitHost = { hardLimit: () => 1000, mayRaise: false, oomScoreAdj: 100 };
  const asked = [{ type: 'RLIMIT_NOFILE', soft: 500, hard: UNLIMITED }];
  expect(cutRlimits(asked, limits)).toEqual({
    value: [{ type: 'RLIMIT_NOFILE', soft: 500, hard: 1000 }],
    warnings: ['ulimit nofile=500:-1 was cut to 500:1000: the daemon may not raise its own limits'],
  });
  expect(cutRlimits([{ type: 'RLIMIT_NOFILE', soft: 1, hard: 2 }], limits).warnings).toEqual([]);
  expect(cutRlimits(asked, { ...limits, mayRaise: true }).value).toEqual(asked);
  expect(cutRlimits(asked, { ...limits, hardLimit: () => UNLIMITED }).value).toEqual(asked);
  expect(cutOomScoreAdj(-500, limits).value).toBe(100);
  expect(cutOomScoreAdj(-500, limits).warnings).toHaveLength(1);
  expect(cutOomScoreAdj(500, limits)).toEqual({ value: 500, warnings: [] });
});

test('splitDevice: small and large numbers', () => {
  expect(splitDevice(0x0103)).toEqual({ major: 1, minor: 3 });
  expect(splitDevice((259 << 8) | 0x05 | (0x12 << 20))).toEqual({ major: 259, minor: 0x1205 });
});

test('findInit: the first that can be run', () => {
  expect(findInit(['/nowhere', '/etc/passwd', process.execPath])).toBe(process.execPath);
  expect(findInit(['/nowhere'])).toBeUndefined();
});
