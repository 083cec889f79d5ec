import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import type { SystemInfo, SystemVersion } from '#api';
import { unavailable } from '#base';
import { expectGolden } from '../testing/golden.ts';
import { runForTest } from '../testing/index.ts';

const golden = (name: string): string => join(import.meta.dir, '../testdata/system', `${name}.txt`);

const version: SystemVersion = {
  Platform: { Name: 'Gantry' },
  Version: '1.2.3',
  ApiVersion: '1.56',
  MinAPIVersion: '1.24',
  Os: 'linux',
  Arch: 'amd64',
  GitCommit: 'abc',
  GoVersion: 'x',
  BuildTime: '2024-01-02T03:04:05Z',
  Components: [
    { Name: 'Engine', Version: '1.2.3', Details: { BuildTime: '2024-01-02T03:04:05Z' } },
    { Name: 'crun', Version: '1.8.1', Details: { GitCommit: 'f8a' } },
  ],
};

const info = {
  Containers: 3,
  ContainersRunning: 1,
  ContainersPaused: 0,
  ContainersStopped: 2,
  Images: 4,
  ServerVersion: '1.2.3',
  Driver: 'overlay2',
  DriverStatus: [['Backing Filesystem', 'extfs']],
  LoggingDriver: 'json-file',
  CgroupDriver: 'cgroupfs',
  CgroupVersion: '1',
  Plugins: { Volume: ['local'], Network: ['bridge', 'host'], Authorization: null, Log: ['json-file'] },
  Swarm: { LocalNodeState: 'inactive' },
  Runtimes: { crun: {}, runc: {} },
  DefaultRuntime: 'crun',
  SecurityOptions: ['name=seccomp,profile=builtin', 'name=cgroupns'],
  KernelVersion: '6.18',
  OperatingSystem: 'Debian',
  OSType: 'linux',
  Architecture: 'x86_64',
  NCPU: 2,
  MemTotal: 2 ** 34,
  Name: 'host',
  ID: 'id',
  DockerRootDir: '/var/lib/gantry',
  Debug: false,
  Labels: ['a=b'],
  RegistryConfig: { InsecureRegistryCIDRs: ['127.0.0.0/8'], IndexConfigs: {}, Mirrors: null },
  LiveRestoreEnabled: true,
  DefaultAddressPools: [{ Base: '10.0.0.0/8', Size: 24 }],
  Warnings: ['WARNING: careful'],
} as unknown as SystemInfo;

const dead = () => Promise.reject(unavailable('Cannot connect'));

describe('version', () => {
  const calls = { apiVersion: '1.50', system: { version: async () => version } };

  test('client and engine', async () => {
    await expectGolden(golden('version'), (await runForTest(['version'], { calls })).stdout);
  });

  test('templates, and a field that is not there', async () => {
    const format = (text: string) => runForTest(['version', '-f', text], { calls });
    expect((await format('{{.Server.Version}} {{.Client.ApiVersion}}')).stdout).toBe('1.2.3 1.50\n');
    expect(JSON.parse((await format('json')).stdout)).toHaveProperty('Server.Platform.Name', 'Gantry');
    expect(await format('{{.Foo}}')).toMatchObject({
      exitCode: 1,
      stderr:
        'template: version:1:2: executing "version" at <.Foo>: can\'t evaluate field Foo in type system.versionInfo\n',
    });
    expect((await format('{{.Foo')).exitCode).toBe(64);
  });

  test('without an engine the client is shown, and the exit code is 1', async () => {
    const run = await runForTest(['version'], { calls: { system: { version: dead } } });
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toStartWith('Client:\n Version: ');
    expect(run.stdout).not.toContain('Server');
    expect(run.stderr).toBe('Cannot connect\n');
  });

  test.each(['{{.Server.Version}}', '{{.Foo}}'])(
    'without an engine %s fails for want of it, whatever the template lacks',
    async (format) => {
      const calls = { system: { version: dead } };
      expect(await runForTest(['version', '-f', format], { calls })).toEqual({
        exitCode: 1,
        stdout: '\n',
        stderr: 'Cannot connect\n',
      });
    },
  );
});

describe('info', () => {
  test('everything, with warnings on standard error', async () => {
    const run = await runForTest(['info'], { calls: { system: { info: async () => info } } });
    expect(run).toMatchObject({ exitCode: 0, stderr: 'WARNING: careful\n' });
    await expectGolden(golden('info'), run.stdout);
  });

  test('templates', async () => {
    const calls = { system: { info: async () => info } };
    const format = (text: string) => runForTest(['info', '-f', text], { calls });
    expect((await format('{{.Driver}} {{len .Runtimes}} {{.ClientInfo.Context}}')).stdout).toBe(
      'overlay2 2 default\n',
    );
    expect((await format('{{.Foo}}')).stderr).toContain("can't evaluate field Foo in type system.dockerInfo");
  });

  test('without an engine', async () => {
    const run = await runForTest(['info'], { calls: { system: { info: dead } } });
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toEndWith('\nServer:\n');
  });
});

describe('events', () => {
  const events = async () =>
    (async function* () {
      yield {
        Type: 'volume',
        Action: 'create',
        Actor: { ID: 'v', Attributes: { z: '1', driver: 'local' } },
        scope: 'local',
        time: 1795309693,
        timeNano: 1795309693947367826n as unknown as number,
      };
    })();
  const calls = { system: { events } };

  test('one line each, to the nanosecond', async () => {
    const run = await runForTest(['events'], { calls, env: { TZ: 'UTC' } });
    expect(run.stdout).toMatch(
      /^2026-11-2\dT\d\d:08:13\.947367826\S+ volume create v \(driver=local, z=1\)\n$/,
    );
  });

  test('json and templates', async () => {
    expect((await runForTest(['events', '--format', 'json'], { calls })).stdout).toContain(
      '"timeNano":1795309693947367826}',
    );
    expect((await runForTest(['events', '--format', '{{.Action}} {{.Actor.ID}}'], { calls })).stdout).toBe(
      'create v\n',
    );
  });

  test('a bad time is refused', async () => {
    expect((await runForTest(['events', '--since', 'x'], { calls })).stderr).toBe(
      'failed to parse value as time or duration: "x"\n',
    );
  });
});
