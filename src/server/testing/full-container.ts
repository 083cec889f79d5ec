import type { ContainerView } from '#containers';
import { sampleContainer } from './samples.ts';

const NETWORK = 'own';

const HOST_CONFIG = {
  Binds: ['/tmp:/mnt:ro'],
  LogConfig: { Type: 'json-file', Config: { 'max-size': '1m', 'max-file': '2' } },
  NetworkMode: NETWORK,
  PortBindings: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }] },
  RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 },
  VolumesFrom: ['other'],
  Annotations: { x: 'y', a: 'b' },
  CapAdd: ['NET_ADMIN'],
  CapDrop: ['CHOWN'],
  Dns: ['1.1.1.1'],
  DnsOptions: ['ndots:1'],
  DnsSearch: ['example.com'],
  ExtraHosts: ['h:1.2.3.4'],
  GroupAdd: ['10'],
  Links: ['other:alias'],
  SecurityOpt: ['no-new-privileges'],
  StorageOpt: { size: '1G' },
  Tmpfs: { '/t': 'size=1m' },
  ShmSize: 67_108_864,
  Sysctls: { 'net.ipv4.ip_forward': '1' },
  Runtime: 'runc',
  Memory: 67_108_864,
  BlkioWeightDevice: [{ Path: '/dev/sda', Weight: 100 }],
  BlkioDeviceReadBps: [{ Path: '/dev/sda', Rate: 1 }],
  BlkioDeviceWriteBps: [{ Path: '/dev/sda', Rate: 1 }],
  BlkioDeviceReadIOps: [{ Path: '/dev/sda', Rate: 1 }],
  BlkioDeviceWriteIOps: [{ Path: '/dev/sda', Rate: 1 }],
  Devices: [{ PathOnHost: '/dev/null', PathInContainer: '/dev/n', CgroupPermissions: 'r' }],
  DeviceCgroupRules: ['c 1:3 r'],
  DeviceRequests: [
    {
      Driver: 'cdi',
      Count: 0,
      DeviceIDs: ['vendor.com/class=one'],
      Capabilities: [['gpu']],
      Options: { b: '1' },
    },
  ],
  MemorySwappiness: 10,
  OomKillDisable: false,
  PidsLimit: 100,
  Ulimits: [{ Name: 'nofile', Soft: 1, Hard: 2 }],
  Mounts: [
    {
      Type: 'bind',
      Source: '/tmp',
      Target: '/bind',
      ReadOnly: true,
      Consistency: 'default',
      BindOptions: {
        Propagation: 'rprivate',
        NonRecursive: true,
        CreateMountpoint: true,
        ReadOnlyNonRecursive: true,
        ReadOnlyForceRecursive: true,
      },
    },
    {
      Type: 'volume',
      Source: 'data',
      Target: '/data',
      VolumeOptions: {
        NoCopy: true,
        Labels: { b: '1', a: '2' },
        Subpath: 'sub',
        DriverConfig: { Name: 'local', Options: { o: 'bind' } },
      },
    },
    { Type: 'image', Source: 'busybox', Target: '/image', ImageOptions: { Subpath: 'bin' } },
    { Type: 'tmpfs', Target: '/tmpfs', TmpfsOptions: { SizeBytes: 1, Mode: 0o755, Options: [['noexec']] } },
  ],
  MaskedPaths: ['/proc/kcore'],
  ReadonlyPaths: ['/proc/sys'],
  Init: true,
};

/** A running container that has something in every field that the API can show, and maps that are not in order. */
export function fullContainer(name: string): ContainerView {
  const view = sampleContainer(
    name,
    {
      Hostname: 'host',
      User: '1000',
      ExposedPorts: { '81/udp': {}, '80/tcp': {} },
      Env: ['B=2', 'A=1'],
      Healthcheck: {
        Test: ['CMD', 'true'],
        Interval: 1e9,
        Timeout: 1e9,
        StartPeriod: 1e9,
        StartInterval: 1e9,
        Retries: 3,
      },
      ArgsEscaped: true,
      Volumes: { '/v': {} },
      WorkingDir: '/',
      Entrypoint: ['sh'],
      NetworkDisabled: true,
      OnBuild: ['RUN true'],
      Labels: { z: '1', a: '2' },
      StopSignal: 'SIGTERM',
      StopTimeout: 5,
      Shell: ['/bin/sh', '-c'],
      HostConfig: HOST_CONFIG,
      NetworkingConfig: {
        EndpointsConfig: {
          [NETWORK]: {
            IPAMConfig: { IPv4Address: '172.18.0.9', IPv6Address: 'fd00::9' },
            Links: ['other:alias'],
            Aliases: ['web'],
            DriverOpts: { z: '1', a: '2' },
            MacAddress: '02:42:ac:12:00:09',
          },
        },
      },
    },
    { execIds: ['e5'.repeat(32)], mounts: MOUNTS, state: STATE },
  );
  const { sandbox } = view;
  const endpoints = sandbox?.endpoints.map((endpoint) => ({ ...endpoint, networkName: NETWORK })) ?? [];
  return { ...view, sandbox: sandbox && { ...sandbox, endpoints } };
}

const STATE: ContainerView['state'] = {
  status: 'running',
  pid: 4711,
  startedAt: '2026-01-02T03:04:06.000Z',
  health: {
    status: 'healthy',
    failingStreak: 0,
    log: [
      { start: '2026-01-02T03:04:06.500Z', end: '2026-01-02T03:04:07.000Z', exitCode: 0, output: 'fine' },
    ],
  },
};

const MOUNTS: ContainerView['mounts'] = [
  {
    type: 'bind',
    name: '',
    source: '/tmp',
    destination: '/mnt',
    driver: '',
    mode: 'ro',
    rw: false,
    propagation: 'rprivate',
  },
  {
    type: 'volume',
    name: 'data',
    source: '/var/lib/gantry/volumes/data/_data',
    destination: '/data',
    driver: 'local',
    mode: 'z',
    rw: true,
    propagation: '',
  },
  { type: 'tmpfs', name: '', source: '', destination: '/t', driver: '', mode: '', rw: true, propagation: '' },
];
