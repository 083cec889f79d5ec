import { expect, test } from 'bun:test';
import { hostConfigFixture } from '../testing/index.ts';
import { appArmorProfile } from './apparmor.ts';
import { parseDeviceRule, specDevices } from './devices.ts';
import { overrideEnv, processEnv } from './env.ts';
import { specResources } from './resources.ts';
import { parseSecurity } from './security.ts';
import { groupEntries, matchUser, passwdEntries } from './users.ts';

const passwd = passwdEntries(
  'root:x:0:0:root:/root:/bin/sh\n# comment\n\nweb:x:33:33::/var/www:\nbroken\nhuge:x:99999999999:1::/:\n12:x:500:500::/num:\n',
);
const groups = groupEntries(
  'root:x:0:\nwww:x:33:\nadm:x:4:root,web\nsudo:x:27:web\nweb:x:77:\nbad:x:-1:web\n',
);
const resolve = (user: string, add: string[] = []) => matchUser(user, add, passwd, groups);

test('matchUser: names, numbers, groups; the list is exact and starts with the primary group', () => {
  expect(resolve('')).toEqual({ uid: 0, gid: 0, additionalGids: [0, 4], home: '/root' });
  expect(resolve('web')).toEqual({ uid: 33, gid: 33, additionalGids: [33, 4, 27], home: '/var/www' });
  expect(resolve('33')).toEqual(resolve('web'));
  expect(resolve('web:adm')).toEqual({ uid: 33, gid: 4, additionalGids: [4], home: '/var/www' });
  expect(resolve('1234')).toEqual({ uid: 1234, gid: 0, additionalGids: [0], home: '/' });
  expect(resolve('1234:99')).toMatchObject({ gid: 99, additionalGids: [99] });
  expect(resolve('web', ['adm', '88', 'www'])).toMatchObject({ additionalGids: [33, 4, 27, 88] });
});

test('matchUser: a name of digits wins over the number', () => {
  expect(resolve('12')).toMatchObject({ uid: 500, home: '/num' });
});

test('matchUser: unknown names and numbers out of range', () => {
  expect(() => resolve('ghost')).toThrow('unable to find user ghost: no matching entries in passwd file');
  expect(() => resolve('web:ghosts')).toThrow(
    'unable to find group ghosts: no matching entries in group file',
  );
  expect(() => resolve('huge')).toThrow('unable to find user huge');
  for (const user of ['2147483648', '-1', 'web:4294967295']) {
    expect(() => resolve(user)).toThrow('uids and gids must be in range 0-2147483647');
  }
});

test('processEnv: defaults, then each layer; a bare name takes a variable away', () => {
  const env = processEnv({
    tty: true,
    hostname: 'h',
    home: '/home/x',
    layers: [
      ['PATH=/p', 'A=1'],
      ['A', 'B=2'],
    ],
  });
  expect(env).toEqual(['PATH=/p', 'HOSTNAME=h', 'TERM=xterm', 'B=2', 'HOME=/home/x']);
  expect(overrideEnv(['A=1'], ['A=a=b'])).toEqual(['A=a=b']);
});

test('processEnv: an empty HOME is none', () => {
  const env = processEnv({ tty: false, hostname: 'h', home: '/root', layers: [['HOME=', 'A=1']] });
  expect(env.filter((entry) => entry.startsWith('HOME'))).toEqual(['HOME=/root']);
  expect(env).toContain('A=1');
});

test('specDevices: a directory without any node is refused', () => {
  const devices = [{ pathOnHost: import.meta.dir, pathInContainer: '', cgroupPermissions: '' }];
  expect(() => specDevices({ devices, deviceCgroupRules: [] })).toThrow(
    `error gathering device information while adding custom device "${import.meta.dir}": not a device node`,
  );
});

test('specResources: only what is set', () => {
  expect(specResources(hostConfigFixture())).toEqual({});
  expect(
    specResources(hostConfigFixture({ nanoCpus: 1.5e9, pidsLimit: 0, memory: 5, memorySwap: -1 })),
  ).toEqual({
    cpu: { period: 100_000, quota: 150_000 },
    pids: { limit: -1 },
    memory: { limit: 5, swap: -1 },
  });
});

test('parseSecurity: profile, privileges, the daemon’s defaults', () => {
  const defaults = { noNewPrivileges: false, seccompProfile: undefined };
  const parse = (securityOpt: string[], privileged = false) =>
    parseSecurity({ securityOpt, privileged }, defaults);
  expect(parse([])).toEqual({
    noNewPrivileges: false,
    seccomp: { kind: 'default' },
    appArmor: undefined,
    labels: [],
    writableCgroups: false,
  });
  const options = ['no-new-privileges', 'seccomp=unconfined', 'apparmor=x', 'label:disable'];
  expect(parse([...options, 'label=type:y', 'disable', 'writable-cgroups'])).toEqual({
    noNewPrivileges: true,
    seccomp: { kind: 'unconfined' },
    appArmor: 'x',
    labels: ['disable', 'type:y', 'disable'],
    writableCgroups: true,
  });
  expect(parse(['writable-cgroups=true', 'writable-cgroups:false']).writableCgroups).toBe(false);
  expect(parse(['apparmor=a', 'apparmor=b:c=d'])).toMatchObject({ appArmor: 'b:c=d' });
  expect(parse(['seccomp={"a":1}']).seccomp).toEqual({ kind: 'custom', profile: '{"a":1}' });
  expect(parse([], true).seccomp).toEqual({ kind: 'unconfined' });
  expect(parse(['seccomp=builtin'], true).seccomp).toEqual({ kind: 'default' });
  expect(parse(['no-new-privileges=false']).noNewPrivileges).toBe(false);
  expect(parse(['seccomp='], true).seccomp).toEqual({ kind: 'unconfined' });
  for (const option of ['nonsense', '', 'constructor'])
    expect(() => parse([option])).toThrow(`invalid --security-opt 1: ${JSON.stringify(option)}`);
  for (const option of ['systempaths=unconfined', 'label:type=x', 'no-new-privileges=maybe', 'toString=1'])
    expect(() => parse([option])).toThrow(`invalid --security-opt 2: ${JSON.stringify(option)}`);
});

test('appArmorProfile: the named one, none for privileged, the default; nothing without AppArmor', () => {
  const on = { isEnabled: true, defaultProfile: 'd' };
  const plain = { chosen: undefined, isPrivileged: false };
  expect(appArmorProfile(plain, on)).toBe('d');
  expect(appArmorProfile(plain, { ...on, defaultProfile: undefined })).toBeUndefined();
  expect(appArmorProfile({ ...plain, chosen: 'x' }, on)).toBe('x');
  expect(appArmorProfile({ chosen: 'x', isPrivileged: true }, on)).toBe('x');
  expect(appArmorProfile({ ...plain, isPrivileged: true }, on)).toBe('unconfined');
  expect(appArmorProfile({ ...plain, chosen: 'x' }, { ...on, isEnabled: false })).toBeUndefined();
});

test('specDevices: a host’s node under another name, with its rule', () => {
  const { devices, deviceRules } = specDevices({
    devices: [{ pathOnHost: '/dev/null', pathInContainer: '/dev/nix', cgroupPermissions: 'r' }],
    deviceCgroupRules: ['c 42:* rw'],
  });
  expect(devices).toEqual([expect.objectContaining({ path: '/dev/nix', type: 'c', major: 1, minor: 3 })]);
  expect(deviceRules).toEqual([
    { allow: true, type: 'c', major: 1, minor: 3, access: 'r' },
    { allow: true, type: 'c', major: 42, access: 'rw' },
  ]);
  const missing = { pathOnHost: '/dev/not-there', pathInContainer: '', cgroupPermissions: '' };
  expect(() => specDevices({ devices: [missing], deviceCgroupRules: [] })).toThrow(
    'error gathering device information while adding custom device "/dev/not-there": no such file or directory',
  );
  expect(() => parseDeviceRule('c 1 rw')).toThrow("invalid device cgroup rule format: 'c 1 rw'");
});
