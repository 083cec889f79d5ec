import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ContainerCreateRequest } from '#api';
import { parseFlags } from '../../flags/parse.ts';
import { CREATE_FLAGS, type CreateFlags } from './flags.ts';
import { toCreateRequest } from './request.ts';

const dir = mkdtempSync(join(tmpdir(), 'gantry-create-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** The request for flags and `image command…`. What the reference client sends was recorded from docker 28.2.2. */
async function request(...args: string[]): Promise<ContainerCreateRequest> {
  const parsed = parseFlags(args, CREATE_FLAGS, { interspersed: false });
  const [image = '', ...command] = parsed.positional;
  const env = { HOME: '/root' };
  return await toCreateRequest(parsed.values as CreateFlags, {
    image,
    command,
    changed: parsed.changed,
    env,
    consoleSize: [0, 0],
  });
}

describe('toCreateRequest: what docker sends', () => {
  test('no flags', async () => {
    const body = await request('busybox');
    expect(body).toMatchObject({
      Image: 'busybox',
      Cmd: null,
      Entrypoint: null,
      Env: null,
      AttachStdout: true,
      Labels: {},
    });
    expect(body.HostConfig).toMatchObject({
      NetworkMode: 'default',
      RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
      MemorySwappiness: -1,
      OomKillDisable: false,
      PidsLimit: 0,
      Binds: null,
      Dns: [],
    });
    expect(body.HostConfig).not.toHaveProperty('Init');
    expect(Object.keys(body.NetworkingConfig?.EndpointsConfig ?? {})).toEqual(['default']);
  });

  test.each<[string[], Record<string, unknown>, Record<string, unknown>]>([
    [['-it'], { Tty: true, OpenStdin: true, StdinOnce: true, AttachStdin: true }, {}],
    [
      ['-a', 'STDIN', '-a', 'stdout'],
      { AttachStdin: true, AttachStdout: true, AttachStderr: false, StdinOnce: false },
      {},
    ],
    [['-e', 'A=1', '-e', 'HOME', '-e', 'NOPE'], { Env: ['A=1', 'HOME=/root', 'NOPE'] }, {}],
    [['-l', 'a=b', '-l', 'c'], { Labels: { a: 'b', c: '' } }, {}],
    [
      ['-p', '80', '-p', '8080:80', '-p', '127.0.0.1::81/udp', '--expose', '5-6'],
      { ExposedPorts: { '80/tcp': {}, '81/udp': {}, '5/tcp': {}, '6/tcp': {} } },
      {
        PortBindings: {
          '80/tcp': [
            { HostIp: '', HostPort: '' },
            { HostIp: '', HostPort: '8080' },
          ],
          '81/udp': [{ HostIp: '127.0.0.1', HostPort: '' }],
        },
      },
    ],
    [
      ['-p', 'published=8080,target=80,protocol=udp'],
      {},
      { PortBindings: { '80/udp': [{ HostIp: '', HostPort: '8080' }] } },
    ],
    [
      ['-v', '/a:/b:ro', '-v', 'vol:/c', '-v', '/anon'],
      { Volumes: { '/anon': {} } },
      { Binds: ['/a:/b:ro', 'vol:/c'] },
    ],
    [['-v', './rel:/d'], {}, { Binds: [`${process.cwd()}/rel:/d`] }],
    [['--tmpfs', '/t', '--tmpfs', '/u:size=64m'], {}, { Tmpfs: { '/t': '', '/u': 'size=64m' } }],
    [
      ['--mount', 'type=bind,src=/a,dst=/b,readonly'],
      {},
      { Mounts: [{ Type: 'bind', Source: '/a', Target: '/b', ReadOnly: true }] },
    ],
    [
      ['--mount', 'source=v,target=/v,volume-opt=a=b,volume-label=x=y,volume-nocopy'],
      {},
      {
        Mounts: [
          {
            Type: 'volume',
            Source: 'v',
            Target: '/v',
            VolumeOptions: { NoCopy: true, Labels: { x: 'y' }, DriverConfig: { Options: { a: 'b' } } },
          },
        ],
      },
    ],
    [
      ['--mount', 'type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=1770'],
      {},
      { Mounts: [{ Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 1048576, Mode: 0o1770 } }] },
    ],
    [
      ['--ulimit', 'nofile=1:2', '--ulimit', 'core=-1'],
      {},
      {
        Ulimits: [
          { Name: 'core', Soft: -1, Hard: -1 },
          { Name: 'nofile', Soft: 1, Hard: 2 },
        ],
      },
    ],
    [
      ['--device', '/dev/null', '--device', '/dev/zero:/dev/z:r', '--device', 'vendor.com/class=x'],
      {},
      {
        Devices: [
          { PathOnHost: '/dev/null', PathInContainer: '/dev/null', CgroupPermissions: 'rwm' },
          { PathOnHost: '/dev/zero', PathInContainer: '/dev/z', CgroupPermissions: 'r' },
        ],
        DeviceRequests: [
          { Driver: 'cdi', Count: 0, DeviceIDs: ['vendor.com/class=x'], Capabilities: null, Options: null },
        ],
      },
    ],
    [
      ['--gpus', 'device=1,"capabilities=compute,utility"'],
      {},
      {
        DeviceRequests: [
          {
            Driver: '',
            Count: 0,
            DeviceIDs: ['1'],
            Capabilities: [['compute', 'utility', 'gpu']],
            Options: {},
          },
        ],
      },
    ],
    [
      [
        '-m',
        '64m',
        '--memory-swap',
        '-1',
        '--cpus',
        '1.5',
        '--blkio-weight-device',
        '/dev/sda:200',
        '--device-read-bps',
        '/dev/sda:1mb',
      ],
      {},
      {
        Memory: 67108864,
        MemorySwap: -1,
        NanoCpus: 1.5e9,
        BlkioWeightDevice: [{ Path: '/dev/sda', Weight: 200 }],
        BlkioDeviceReadBps: [{ Path: '/dev/sda', Rate: 1048576 }],
      },
    ],
    [
      ['--health-cmd', 'true', '--health-interval', '5s', '--health-retries', '3'],
      { Healthcheck: { Test: ['CMD-SHELL', 'true'], Interval: 5e9, Retries: 3 } },
      {},
    ],
    [['--no-healthcheck'], { Healthcheck: { Test: ['NONE'] } }, {}],
    [
      ['--restart', 'on-failure:5', '--init'],
      {},
      { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 5 }, Init: true },
    ],
    [
      ['--cap-add', 'net_raw', '--cap-add', 'CAP_NET_ADMIN', '--cap-drop', 'all'],
      {},
      { CapAdd: ['CAP_NET_ADMIN', 'CAP_NET_RAW'], CapDrop: ['ALL'] },
    ],
    [
      ['--security-opt', 'systempaths=unconfined', '--security-opt', 'label:disable'],
      {},
      { SecurityOpt: ['label:disable'], MaskedPaths: [], ReadonlyPaths: [] },
    ],
    [
      ['--add-host', 'a=host-gateway', '--dns', '1.1.1.1'],
      {},
      { ExtraHosts: ['a:host-gateway'], Dns: ['1.1.1.1'] },
    ],
    [['--entrypoint', ''], { Entrypoint: [''] }, {}],
    [
      ['--stop-timeout', '3', '--stop-signal', 'INT', '-w', '/w', '-u', 'u:g'],
      { StopTimeout: 3, StopSignal: 'INT', WorkingDir: '/w', User: 'u:g' },
      {},
    ],
    [
      ['--log-driver', 'local', '--log-opt', 'a=b', '--storage-opt', 'size=1G', '--sysctl', 'net.a=b'],
      {},
      {
        LogConfig: { Type: 'local', Config: { a: 'b' } },
        StorageOpt: { size: '1G' },
        Sysctls: { 'net.a': 'b' },
      },
    ],
  ])('%p', async (flags, config, hostConfig) => {
    const body = await request(...flags, 'busybox');
    expect(body).toMatchObject(config);
    expect(body.HostConfig).toMatchObject(hostConfig);
  });

  test('networks: names, long form, companions of the first', async () => {
    const body = await request(
      '--network',
      'name=n1,alias=a,ip=1.2.3.4,driver-opt=k=v,gw-priority=3',
      '--network',
      'n2',
      'busybox',
    );
    expect(body.HostConfig?.NetworkMode).toBe('n1');
    expect(body.NetworkingConfig?.EndpointsConfig).toMatchObject({
      n1: { Aliases: ['a'], IPAMConfig: { IPv4Address: '1.2.3.4' }, DriverOpts: { k: 'v' }, GwPriority: 3 },
      n2: { Aliases: null, IPAMConfig: null },
    });
    const companions = await request(
      '--network',
      'n',
      '--network-alias',
      'q',
      '--ip6',
      'fe80::1',
      '--mac-address',
      '02:42:ac:11:00:02',
      'b',
    );
    expect(companions.NetworkingConfig?.EndpointsConfig).toMatchObject({
      n: { Aliases: ['q'], IPAMConfig: { IPv6Address: 'fe80::1' }, MacAddress: '02:42:ac:11:00:02' },
    });
    expect((await request('--network', 'container:x', 'b')).NetworkingConfig?.EndpointsConfig).toEqual({});
  });

  test('files: environment, labels, seccomp profile', async () => {
    await Bun.write(join(dir, 'env'), 'A=1\n# no\n\nHOME\nNOPE\nB=x y\n');
    await Bun.write(join(dir, 'labels'), 'l1=v1\nl2\n');
    await Bun.write(join(dir, 'seccomp.json'), '{ "defaultAction": "SCMP_ACT_ALLOW" }');
    const files = ['--env-file', join(dir, 'env'), '--label-file', join(dir, 'labels')];
    const body = await request(
      ...files,
      '-e',
      'C=2',
      '--security-opt',
      `seccomp=${join(dir, 'seccomp.json')}`,
      'b',
    );
    expect(body.Env).toEqual(['A=1', 'HOME=/root', 'B=x y', 'C=2']);
    expect(body.Labels).toEqual({ l1: 'v1' });
    expect(body.HostConfig?.SecurityOpt).toEqual(['seccomp={"defaultAction":"SCMP_ACT_ALLOW"}']);
  });

  test.each<[string[], string]>([
    [['--env-file', '/nope'], 'open /nope: no such file or directory'],
    [['--security-opt', 'x'], 'Invalid --security-opt: "x"'],
    [
      ['--security-opt', 'seccomp=/nope'],
      'opening seccomp profile (/nope) failed: open /nope: no such file or directory',
    ],
    [['--storage-opt', 'x'], 'invalid storage option'],
    [['--rm', '--restart', 'always'], 'conflicting options: cannot specify both --restart and --rm'],
    [['--pid', 'foo'], '--pid: invalid PID mode'],
    [['--uts', 'x'], '--uts: invalid UTS mode'],
    [['--userns', 'x'], '--userns: invalid USER mode'],
    [['--cgroupns', 'x'], '--cgroupns: invalid CGROUP mode'],
    [['--mac-address', 'x'], 'x is not a valid mac address'],
    [['--no-healthcheck', '--health-cmd', 'x'], '--no-healthcheck conflicts with --health-* options'],
    [['--health-retries', '-1'], '--health-retries cannot be negative'],
    [
      ['--expose', 'x'],
      'invalid range format for --expose: x, error: strconv.ParseUint: parsing "x": invalid syntax',
    ],
    [['-p', '99999:80'], 'invalid hostPort: 99999'],
    [['--device', '/a:/b:/c:/d'], 'bad format for path: /a:/b:/c:/d'],
    [
      ['--network', 'bridge', '--network-alias', 'q'],
      'network-scoped aliases are only supported for user-defined networks',
    ],
    [['--network', 'a', '--network', 'a'], 'network "a" is specified multiple times'],
    [
      ['--network', 'a', '--network', 'host'],
      'cannot attach both user-defined and non-user-defined network-modes',
    ],
    [['--add-host', 'x'], 'invalid argument "x" for "--add-host" flag: bad format for add-host: "x"'],
    [
      ['--mount', 'x'],
      'invalid argument "x" for "--mount" flag: invalid field \'x\' must be a key=value pair',
    ],
    [['--mount', 'type=bind,src=/a'], 'target is required'],
    [['--ulimit', 'x'], 'invalid argument "x" for "--ulimit" flag: invalid ulimit argument: x'],
    [['-a', 'foo'], 'valid streams are STDIN, STDOUT and STDERR'],
    [['-l', '=x'], "invalid label '=x': empty name"],
    [['--sysctl', 'foo'], "sysctl 'foo' is not allowed"],
    [['--gpus', 'x=y'], "unexpected key 'x' in 'x=y'"],
    [['--device-read-bps', 'x'], 'bad format: x'],
    [['--dns', 'x'], 'IP address is not correctly formatted: x'],
    [['--network', 'foo=bar'], 'invalid field key foo'],
  ])('%p is refused', async (flags, message) => {
    await expect((async () => await request(...flags, 'busybox'))()).rejects.toThrow(message);
  });
});
