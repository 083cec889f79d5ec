import { describe, expect, test } from 'bun:test';
import { containerCreateRequest, decodeJson } from '#api';
import { fromContainerConfig, toCreateRequest } from './container-config.ts';
import { fromHostConfig } from './host-config.ts';
import { toResourceChange } from './resources.ts';

const create = (body: object) =>
  toCreateRequest(decodeJson(containerCreateRequest, JSON.stringify(body)), {
    name: '/x',
    platform: undefined,
  });

describe('toCreateRequest', () => {
  test('names lose their slash, the default network is the bridge', () => {
    const { name, hostConfig, endpoints } = create({
      Image: 'a',
      NetworkingConfig: { EndpointsConfig: { default: { Aliases: ['b'] }, other: null } },
    });
    expect(name).toBe('x');
    expect(hostConfig.networkMode).toBe('bridge');
    expect(endpoints).toEqual({ bridge: { aliases: ['b'] }, other: {} });
  });

  test('entrypoint: not given, given, and the empty string that means none', () => {
    expect(create({ Image: 'a' }).config.entrypoint).toBeUndefined();
    expect(create({ Image: 'a', Entrypoint: 'sh' }).config.entrypoint).toEqual(['sh']);
  });

  test('a port without bindings is published somewhere', () => {
    const { portBindings } = create({
      Image: 'a',
      HostConfig: { PortBindings: { '80/tcp': null } },
    }).hostConfig;
    expect(portBindings).toEqual({ '80/tcp': [{ hostIp: '', hostPort: '' }] });
  });

  test('what was set comes back from inspect as it was', () => {
    const HostConfig = {
      Binds: ['/a:/b:ro'],
      Memory: 67_108_864,
      MemorySwap: -1,
      NanoCpus: 500_000_000,
      PidsLimit: 10,
      Ulimits: [{ Name: 'nofile', Hard: 20, Soft: 10 }],
      Devices: [{ PathOnHost: '/dev/a', PathInContainer: '/dev/b', CgroupPermissions: 'rwm' }],
      DeviceRequests: [{ Driver: '', Count: -1, DeviceIDs: null, Capabilities: [['gpu']], Options: {} }],
      BlkioDeviceReadBps: [{ Path: '/dev/sda', Rate: 5 }],
      CapAdd: ['NET_ADMIN'],
      Tmpfs: { '/t': 'size=1m' },
      Sysctls: { 'net.core.somaxconn': '1' },
      RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 },
      LogConfig: { Type: 'local', Config: { 'max-size': '1m' } },
      Init: true,
      Mounts: [
        { Type: 'bind', Source: '/s', Target: '/t', ReadOnly: true, BindOptions: { Propagation: 'rslave' } },
        {
          Type: 'volume',
          Source: 'v',
          Target: '/v',
          VolumeOptions: { NoCopy: true, Labels: { a: 'b' }, DriverConfig: { Name: 'local' } },
        },
        { Type: 'tmpfs', Target: '/x', TmpfsOptions: { SizeBytes: 5, Mode: 0o700 } },
      ],
    };
    expect(fromHostConfig(create({ Image: 'a', HostConfig }).hostConfig)).toMatchObject(HostConfig);
    const Config = {
      Image: 'a',
      Env: ['A=b'],
      Cmd: ['x'],
      Labels: { a: 'b' },
      StopTimeout: 0,
      Shell: ['sh'],
    };
    expect(fromContainerConfig(create(Config).config)).toMatchObject(Config);
  });

  test('what was not set has the zero values that dockerd sends', () => {
    const host = fromHostConfig(create({ Image: 'a' }).hostConfig);
    expect(host).toMatchObject({ Binds: null, CapAdd: null, Dns: [], PortBindings: {}, ConsoleSize: [0, 0] });
    expect(Object.keys(host)).not.toContain('Init');
    expect(Object.keys(host)).not.toContain('Mounts');
  });
});

test('toResourceChange: only what the client named', () => {
  expect(toResourceChange({ Memory: 5, CpuShares: 0, CpusetCpus: '', Devices: null })).toEqual({ memory: 5 });
});

test('toResourceChange: a limit of no processes at all is none', () => {
  expect(toResourceChange({ PidsLimit: 0 })).toEqual({ pidsLimit: 0 });
});
