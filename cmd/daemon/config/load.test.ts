import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from './load.ts';
import { settingsFrom } from './settings.ts';

const dir = mkdtempSync(join(tmpdir(), 'gantry-config-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

let files = 0;
function load(file: unknown, flags: Record<string, string[]> = {}) {
  const path = join(dir, `daemon-${++files}.json`);
  writeFileSync(path, typeof file === 'string' ? file : JSON.stringify(file));
  return loadConfig({ 'config-file': [path], ...flags });
}

describe('loadConfig', () => {
  test('flags and file are joined; the last text of a scalar flag wins; lists collect', () => {
    const { given } = load(
      { debug: true, labels: ['a=b'] },
      { mtu: ['1400', '1450'], host: ['unix:///a', 'unix:///b'] },
    );
    expect(given).toMatchObject({ debug: true, label: ['a=b'], mtu: 1450, host: ['unix:///a', 'unix:///b'] });
  });

  test('an option in both places is refused with both values', () => {
    expect(() => load({ 'log-level': 'info' }, { 'log-level': ['debug'] })).toThrow(
      /specified both as a flag and in the configuration file: log-level: \(from flag: debug, from file: info\)$/,
    );
  });

  test.each([
    [{ nonsense: 1 }, "the following directives don't match any configuration option: nonsense"],
    ['{', 'unable to configure the gantry daemon with file'],
    ['[]', 'not a JSON object'],
    [{ debug: 'yes' }, 'invalid value for "debug": expected boolean, got "yes"'],
    [{ 'authorization-plugins': ['x'] }, '--authorization-plugin is not supported by this version of gantry'],
  ])('%j is refused', (file, text) => expect(() => load(file)).toThrow(text));

  test('an empty file is fine; a named file that is missing is not', () => {
    expect(load('').given).toEqual({ 'config-file': join(dir, `daemon-${files}.json`) });
    expect(() => loadConfig({ 'config-file': [join(dir, 'none.json')] })).toThrow(
      'no such file or directory',
    );
  });

  test("options of dockerd's that mean nothing here are read all the same", () => {
    const file = {
      features: { 'containerd-snapshotter': true },
      builder: { gc: { enabled: true, policy: [{ keepStorage: '1GB', filter: ['unused-for=1h'] }] } },
      proxies: { 'http-proxy': 'http://proxy:80' },
      'default-network-opts': { bridge: { 'com.docker.network.driver.mtu': '1400' } },
      'max-concurrent-downloads': 5,
      ip6tables: true,
      'userland-proxy-path': '/usr/bin/docker-proxy',
    };
    const { inert } = load(file, {
      containerd: ['/run/containerd/containerd.sock'],
      'oom-score-adjust': ['-500'],
    });
    expect(inert).toEqual(
      expect.arrayContaining(['builder', 'containerd', 'feature', 'ip6tables', 'proxies']),
    );
    expect(inert.length).toBe(9);
  });

  test('options without effect are named', () => {
    expect(load({ 'userland-proxy': false }).inert).toEqual(['userland-proxy']);
  });

  test.each([
    [{ mtu: ['x'] }, 'invalid argument "x" for "--mtu" flag: invalid integer'],
    [{ debug: ['maybe'] }, 'invalid argument "maybe" for "--debug" flag: invalid boolean value'],
    [{ 'add-runtime': ['nopath'] }, 'expected key=value'],
  ])('flag %j is refused', (flags, text) => expect(() => load({}, flags)).toThrow(text));
});

describe('settingsFrom', () => {
  test('what 0 and -1 stand for', () => {
    expect(settingsFrom({ mtu: 0 }).network.mtu).toBe(1500);
    expect(settingsFrom({ 'shutdown-timeout': -3 }).shutdownTimeoutS).toBe(-3);
  });

  test('every setting is read somewhere', async () => {
    const interfaces = readFileSync(join(import.meta.dir, 'settings.ts'), 'utf8').matchAll(
      /^ {2}readonly (\w+)/gm,
    );
    const roof = await Array.fromAsync(new Bun.Glob('**/*.ts').scan(join(import.meta.dir, '..')));
    const readers = roof
      .filter((file) => !file.startsWith('config/') && !file.endsWith('.test.ts'))
      .map((file) =>
        readFileSync(join(import.meta.dir, '..', file), 'utf8').replace(
          /^function mergeReloadable[\s\S]*?^}/m,
          '',
        ),
      )
      .join('\n');
    const names = [...interfaces].map(([, name]) => name ?? '');
    expect(names.length).toBeGreaterThan(40);
    expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(readers))).toEqual([]);
  });

  test('docker forms of runtimes, pools and ulimits', () => {
    const { given } = load({
      runtimes: { kata: { path: '/usr/bin/kata', runtimeArgs: ['--log', 'x'] } },
      'default-address-pools': [{ base: '10.10.0.0/16', size: 24 }],
      'default-ulimits': { nofile: { Name: 'nofile', Soft: 1024, Hard: 2048 } },
    });
    const settings = settingsFrom(given);
    expect(settings.runtimes.added).toEqual({ kata: { path: '/usr/bin/kata', args: ['--log', 'x'] } });
    expect(settings.network.addressPools).toEqual([{ base: '10.10.0.0/16', size: 24 }]);
    expect(settings.containers.ulimits).toEqual([{ name: 'nofile', soft: 1024, hard: 2048 }]);
  });

  test('defaults: containers outlive the daemon; --debug wins over the level', () => {
    expect(settingsFrom({})).toMatchObject({
      liveRestore: true,
      logLevel: 'info',
      dataRoot: '/var/lib/gantry',
    });
    expect(settingsFrom({ debug: true, 'log-level': 'error' }).logLevel).toBe('debug');
  });

  test.each([
    [
      { 'default-ipc-mode': 'bogus' },
      'default IPC mode setting (bogus) is invalid; use "shareable" or "private"',
    ],
    [
      { 'default-ipc-mode': 'host' },
      'IPC mode "host" is not supported as default value; use "shareable" or "private"',
    ],
    [{ 'log-format': 'bogus' }, 'invalid log format: bogus'],
    [{ 'log-driver': 'bogus' }, "failed to set log opts: logger: no log driver named 'bogus' is registered"],
    [
      { 'log-opt': { bogus: '1' } },
      "failed to set log opts: unknown log opt 'bogus' for json-file log driver",
    ],
    [{ label: ['foo'] }, 'bad attribute format: foo'],
    [{ label: ['a=1', 'a=2'] }, 'conflict labels for a=2 and a=1'],
    [{ mtu: -5 }, 'invalid default MTU: -5'],
    [{ 'max-concurrent-downloads': -1 }, 'invalid max concurrent downloads: -1'],
    [
      { 'storage-driver': 'devicemapper' },
      'error initializing graphdriver: driver not supported: devicemapper',
    ],
    [{ bridge: 'br0', bip: '10.0.0.1/24' }, 'you specified -b & --bip, mutually exclusive options'],
    [{ ip: 'x' }, 'invalid argument "x" for "--ip" flag: x is not an ip address'],
    [{ dns: ['1.1.1.1', '1.1.1'] }, 'invalid argument "1.1.1" for "--dns" flag: 1.1.1 is not an ip address'],
    [{ 'log-level': 'loud' }, 'invalid logging level: loud'],
    [{ 'default-address-pool': ['base=10.0.0.0,size=24'] }, 'invalid default address pool'],
  ])('%j is refused', (given, text) => expect(() => settingsFrom(given)).toThrow(text));
});

describe('TLS', () => {
  const directory = { HOME: '/home/me' };

  test('is off unless it is asked for; files have the places that docker gives them', () => {
    expect(settingsFrom({}, directory).tls).toBeUndefined();
    expect(settingsFrom({ tls: false, tlscert: 'x' }, directory).tls).toBeUndefined();
    expect(settingsFrom({ tls: true }, directory).tls).toEqual({
      verify: false,
      caFile: '/home/me/.docker/ca.pem',
      certFile: '/home/me/.docker/cert.pem',
      keyFile: '/home/me/.docker/key.pem',
    });
    const env = { ...directory, DOCKER_CONFIG: '/config' };
    expect(settingsFrom({ tlsverify: true, tlskey: '/k' }, env).tls).toEqual({
      verify: true,
      caFile: '/config/ca.pem',
      certFile: '/config/cert.pem',
      keyFile: '/k',
    });
    expect(settingsFrom({ tls: true }, { ...env, DOCKER_CERT_PATH: '/certs' }).tls?.caFile).toBe(
      '/certs/ca.pem',
    );
  });

  test.each([
    [{ tlsverify: true }, {}, true],
    [{ tlsverify: false }, {}, false],
    [{ tls: false, tlsverify: true }, {}, true],
    [{ tls: true, tlsverify: false }, { DOCKER_TLS_VERIFY: '1' }, false],
    [{}, { DOCKER_TLS_VERIFY: '1' }, true],
    [{ tls: true }, { DOCKER_TLS_VERIFY: '' }, false],
  ])('%j with %j: TLS, clients verified: %p', (given, env, verify) => {
    expect(settingsFrom(given, env).tls).toMatchObject({ verify });
  });

  test.each(['tlscert', 'tlskey', 'tlscacert'])('--%s without TLS is refused, not ignored', (name) => {
    expect(() => settingsFrom({ [name]: 'x' }, {})).toThrow(`--${name} has no effect without TLS`);
  });
});
