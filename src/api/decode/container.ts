import {
  boolean,
  type Decoder,
  int,
  int64,
  list,
  map,
  namedString,
  nullableMap,
  set,
  string,
  stringOrList,
  struct,
  uint,
  uint16,
  uint32,
  uint64,
} from '../json/decoder.ts';
import type { ContainerCreateRequest, ContainerUpdateRequest, HealthConfig } from '../types/container.ts';
import type { ExecCreateRequest, ExecStartRequest } from '../types/exec.ts';
import type {
  DeviceMapping,
  DeviceRequest,
  HostConfig,
  LogConfig,
  Mount,
  PortBinding,
  Resources,
  RestartPolicy,
  ThrottleDevice,
  Ulimit,
  WeightDevice,
} from '../types/host-config.ts';
import type { NetworkingConfig } from '../types/network.ts';
import { endpointSettings } from './network.ts';
import { withPortKeys } from './port-keys.ts';

const strings = list(string);
const stringMap = map(string);
const throttle = list(struct<ThrottleDevice>('ThrottleDevice', { Path: string, Rate: uint64 }));

const resources = {
  CpuShares: int64,
  Memory: int64,
  NanoCpus: int64,
  CgroupParent: string,
  BlkioWeight: uint16,
  BlkioWeightDevice: list(struct<WeightDevice>('WeightDevice', { Path: string, Weight: uint16 })),
  BlkioDeviceReadBps: throttle,
  BlkioDeviceWriteBps: throttle,
  BlkioDeviceReadIOps: throttle,
  BlkioDeviceWriteIOps: throttle,
  CpuPeriod: int64,
  CpuQuota: int64,
  CpuRealtimePeriod: int64,
  CpuRealtimeRuntime: int64,
  CpusetCpus: string,
  CpusetMems: string,
  Devices: list(
    struct<DeviceMapping>('DeviceMapping', {
      PathOnHost: string,
      PathInContainer: string,
      CgroupPermissions: string,
    }),
  ),
  DeviceCgroupRules: strings,
  DeviceRequests: list(
    struct<DeviceRequest>('DeviceRequest', {
      Driver: string,
      Count: int,
      DeviceIDs: strings,
      Capabilities: list(strings),
      Options: stringMap,
    }),
  ),
  MemoryReservation: int64,
  MemorySwap: int64,
  MemorySwappiness: int64,
  OomKillDisable: boolean,
  PidsLimit: int64,
  Ulimits: list(struct<Ulimit>('Ulimit', { Name: string, Hard: int64, Soft: int64 })),
  CpuCount: int64,
  CpuPercent: int64,
  IOMaximumIOps: uint64,
  IOMaximumBandwidth: uint64,
} satisfies { readonly [K in keyof Resources]: Decoder<NonNullable<Resources[K]>> };

const restartPolicy = struct<RestartPolicy>('RestartPolicy', {
  Name: namedString('container.RestartPolicyMode'),
  MaximumRetryCount: int,
});

const mount = struct<Mount>('Mount', {
  Type: namedString('mount.Type'),
  Source: string,
  Target: string,
  ReadOnly: boolean,
  Consistency: namedString('mount.Consistency'),
  BindOptions: struct<NonNullable<Mount['BindOptions']>>('BindOptions', {
    Propagation: namedString('mount.Propagation'),
    NonRecursive: boolean,
    CreateMountpoint: boolean,
    ReadOnlyNonRecursive: boolean,
    ReadOnlyForceRecursive: boolean,
  }),
  VolumeOptions: struct<NonNullable<Mount['VolumeOptions']>>('VolumeOptions', {
    NoCopy: boolean,
    Labels: stringMap,
    Subpath: string,
    DriverConfig: struct('Driver', { Name: string, Options: stringMap }),
  }),
  ImageOptions: struct<NonNullable<Mount['ImageOptions']>>('ImageOptions', { Subpath: string }),
  TmpfsOptions: struct<NonNullable<Mount['TmpfsOptions']>>('TmpfsOptions', {
    SizeBytes: int64,
    Mode: uint32,
    Options: list(strings),
  }),
});

const hostConfig = struct<NonNullable<ContainerCreateRequest['HostConfig']>>('HostConfig', {
  ...resources,
  Binds: strings,
  ContainerIDFile: string,
  LogConfig: struct<LogConfig>('LogConfig', { Type: string, Config: stringMap }),
  NetworkMode: namedString('container.NetworkMode'),
  PortBindings: withPortKeys(
    nullableMap(list(struct<PortBinding>('PortBinding', { HostIp: string, HostPort: string }))),
  ),
  RestartPolicy: restartPolicy,
  AutoRemove: boolean,
  VolumeDriver: string,
  VolumesFrom: strings,
  ConsoleSize: list(uint, '[2]uint'),
  Annotations: stringMap,
  Capabilities: strings,
  CapAdd: stringOrList,
  CapDrop: stringOrList,
  CgroupnsMode: namedString('container.CgroupnsMode'),
  Dns: strings,
  DnsOptions: strings,
  DnsSearch: strings,
  ExtraHosts: strings,
  GroupAdd: strings,
  IpcMode: namedString('container.IpcMode'),
  Cgroup: namedString('container.CgroupSpec'),
  Links: strings,
  OomScoreAdj: int,
  PidMode: namedString('container.PidMode'),
  Privileged: boolean,
  PublishAllPorts: boolean,
  ReadonlyRootfs: boolean,
  SecurityOpt: strings,
  StorageOpt: stringMap,
  Tmpfs: stringMap,
  UTSMode: namedString('container.UTSMode'),
  UsernsMode: namedString('container.UsernsMode'),
  ShmSize: int64,
  Sysctls: stringMap,
  Runtime: string,
  Isolation: namedString('container.Isolation'),
  Mounts: list(mount),
  MaskedPaths: strings,
  ReadonlyPaths: strings,
  Init: boolean,
} satisfies { readonly [K in keyof HostConfig]-?: Decoder<NonNullable<HostConfig[K]>> });

const healthConfig = struct<HealthConfig>('HealthcheckConfig', {
  Test: strings,
  Interval: int64,
  Timeout: int64,
  StartPeriod: int64,
  StartInterval: int64,
  Retries: int,
});

/** Fields of ContainerConfig, also the body of `POST /commit`. */
const config = {
  Hostname: string,
  Domainname: string,
  User: string,
  AttachStdin: boolean,
  AttachStdout: boolean,
  AttachStderr: boolean,
  ExposedPorts: withPortKeys(set),
  Tty: boolean,
  OpenStdin: boolean,
  StdinOnce: boolean,
  Env: strings,
  Cmd: stringOrList,
  Healthcheck: healthConfig,
  ArgsEscaped: boolean,
  Image: string,
  Volumes: set,
  WorkingDir: string,
  Entrypoint: stringOrList,
  NetworkDisabled: boolean,
  MacAddress: string,
  OnBuild: strings,
  Labels: stringMap,
  StopSignal: string,
  StopTimeout: int,
  Shell: stringOrList,
};

/** `POST /containers/create`. */
export const containerCreateRequest: Decoder<ContainerCreateRequest> = struct<ContainerCreateRequest>(
  'CreateRequest',
  {
    ...config,
    HostConfig: hostConfig,
    NetworkingConfig: struct<NetworkingConfig>('NetworkingConfig', {
      EndpointsConfig: nullableMap(endpointSettings),
    }),
  },
  { goType: 'container.CreateRequest' },
);

/** `POST /containers/{id}/update`. */
export const containerUpdateRequest: Decoder<ContainerUpdateRequest> = struct<ContainerUpdateRequest>(
  'UpdateConfig',
  { ...resources, RestartPolicy: restartPolicy },
  { goType: 'container.UpdateConfig' },
);

/** `POST /containers/{id}/exec`. */
export const execCreateRequest: Decoder<ExecCreateRequest> = struct<ExecCreateRequest>(
  'ExecCreateRequest',
  {
    User: string,
    Privileged: boolean,
    Tty: boolean,
    ConsoleSize: list(uint, '[2]uint'),
    AttachStdin: boolean,
    AttachStderr: boolean,
    AttachStdout: boolean,
    DetachKeys: string,
    Env: strings,
    WorkingDir: string,
    Cmd: strings,
  },
  { goType: 'container.ExecCreateRequest' },
);

/** `POST /exec/{id}/start`. */
export const execStartRequest: Decoder<ExecStartRequest> = struct<ExecStartRequest>(
  'ExecStartRequest',
  { Detach: boolean, Tty: boolean, ConsoleSize: list(uint, '[2]uint') },
  { goType: 'container.ExecStartRequest' },
);
