import type {
  ContainerCreateRequest,
  PortMap,
  Unset,
  HostConfig as WireHostConfig,
  RestartPolicy as WireRestartPolicy,
} from '#api';
import type { HostConfig, RestartPolicy } from '#containers';
import { fromMountRequest, toMountRequest } from './mounts.ts';
import { fromResources, toResources } from './resources.ts';
import { byKey, omitEmpty, omitEmptyObject, orNull } from './zero.ts';

type WireRequest = NonNullable<ContainerCreateRequest['HostConfig']>;

/** The `HostConfig` of a create body; what is not set is zero, empty or undefined. */
export function toHostConfig(wire: WireRequest): HostConfig {
  return {
    ...toResources(wire),
    ...toNamespaces(wire),
    ...toNetwork(wire),
    ...toSecurity(wire),
    ...toStorage(wire),
    containerIdFile: wire.ContainerIDFile ?? '',
    logConfig: { type: wire.LogConfig?.Type ?? '', config: wire.LogConfig?.Config ?? {} },
    restartPolicy: toRestartPolicy(wire.RestartPolicy ?? {}),
    autoRemove: wire.AutoRemove ?? false,
    consoleSize: [wire.ConsoleSize?.[0] ?? 0, wire.ConsoleSize?.[1] ?? 0],
    annotations: wire.Annotations ?? {},
    oomScoreAdj: wire.OomScoreAdj ?? 0,
    sysctls: wire.Sysctls ?? {},
    runtime: wire.Runtime ?? '',
    isolation: wire.Isolation ?? '',
    init: wire.Init ?? undefined,
  };
}

function toStorage(wire: WireRequest) {
  return {
    binds: wire.Binds ?? [],
    volumeDriver: wire.VolumeDriver ?? '',
    volumesFrom: wire.VolumesFrom ?? [],
    mounts: (wire.Mounts ?? []).map(toMountRequest),
    storageOpt: wire.StorageOpt ?? {},
    tmpfs: wire.Tmpfs ?? {},
    shmSize: wire.ShmSize ?? 0,
  };
}

/** An empty name is `no`. Unknown names pass on: the containers room refuses them with docker's text. */
export function toRestartPolicy(wire: Unset<WireRestartPolicy>): RestartPolicy {
  return {
    name: (wire.Name || 'no') as RestartPolicy['name'],
    maximumRetryCount: wire.MaximumRetryCount ?? 0,
  };
}

function toNamespaces(wire: WireRequest) {
  return {
    cgroupnsMode: wire.CgroupnsMode ?? '',
    ipcMode: wire.IpcMode ?? '',
    cgroup: wire.Cgroup ?? '',
    pidMode: wire.PidMode ?? '',
    utsMode: wire.UTSMode ?? '',
    usernsMode: wire.UsernsMode ?? '',
  };
}

function toNetwork(wire: WireRequest) {
  return {
    networkMode: normalizeNetworkMode(wire.NetworkMode ?? ''),
    portBindings: toPortBindings(wire.PortBindings ?? {}),
    dns: wire.Dns ?? [],
    dnsOptions: wire.DnsOptions ?? [],
    dnsSearch: wire.DnsSearch ?? [],
    extraHosts: wire.ExtraHosts ?? [],
    links: wire.Links ?? [],
    publishAllPorts: wire.PublishAllPorts ?? false,
  };
}

function toSecurity(wire: WireRequest) {
  return {
    capAdd: wire.CapAdd ?? [],
    capDrop: wire.CapDrop ?? [],
    groupAdd: wire.GroupAdd ?? [],
    privileged: wire.Privileged ?? false,
    readonlyRootfs: wire.ReadonlyRootfs ?? false,
    securityOpt: wire.SecurityOpt ?? [],
    maskedPaths: wire.MaskedPaths ?? undefined,
    readonlyPaths: wire.ReadonlyPaths ?? undefined,
  };
}

/** `default` and nothing are the bridge. */
export const normalizeNetworkMode = (mode: string): string =>
  mode === '' || mode === 'default' ? 'bridge' : mode;

/** A port without bindings is published on a port of the engine's choice, as in docker. */
function toPortBindings(wire: PortMap): HostConfig['portBindings'] {
  return Object.fromEntries(
    Object.entries(wire).map(([port, bindings]) => {
      const given = bindings && bindings.length > 0 ? bindings : [{ HostIp: '', HostPort: '' }];
      return [
        port,
        given.map(({ HostIp, HostPort }) => ({ hostIp: HostIp ?? '', hostPort: HostPort ?? '' })),
      ];
    }),
  );
}

export function fromHostConfig(host: HostConfig): WireHostConfig {
  return {
    Binds: orNull(host.binds),
    ContainerIDFile: host.containerIdFile,
    LogConfig: { Type: host.logConfig.type, Config: byKey(host.logConfig.config) },
    NetworkMode: host.networkMode,
    PortBindings: fromPortBindings(host.portBindings),
    RestartPolicy: {
      Name: host.restartPolicy.name,
      MaximumRetryCount: host.restartPolicy.maximumRetryCount,
    },
    AutoRemove: host.autoRemove,
    VolumeDriver: host.volumeDriver,
    VolumesFrom: orNull(host.volumesFrom),
    ConsoleSize: host.consoleSize,
    ...omitEmptyObject('Annotations', byKey(host.annotations)),
    ...fromIsolation(host),
    ShmSize: host.shmSize,
    ...omitEmptyObject('Sysctls', byKey(host.sysctls)),
    ...omitEmpty('Runtime', host.runtime),
    Isolation: host.isolation,
    ...fromResources(host),
    ...omitEmptyObject('Mounts', host.mounts.map(fromMountRequest)),
    MaskedPaths: host.maskedPaths ?? null,
    ReadonlyPaths: host.readonlyPaths ?? null,
    ...(host.init === undefined ? {} : { Init: host.init }),
  };
}

function fromIsolation(host: HostConfig) {
  return {
    CapAdd: orNull(host.capAdd),
    CapDrop: orNull(host.capDrop),
    CgroupnsMode: host.cgroupnsMode,
    Dns: host.dns,
    DnsOptions: host.dnsOptions,
    DnsSearch: host.dnsSearch,
    ExtraHosts: orNull(host.extraHosts),
    GroupAdd: orNull(host.groupAdd),
    IpcMode: host.ipcMode,
    Cgroup: host.cgroup,
    Links: orNull(host.links),
    OomScoreAdj: host.oomScoreAdj,
    PidMode: host.pidMode,
    Privileged: host.privileged,
    PublishAllPorts: host.publishAllPorts,
    ReadonlyRootfs: host.readonlyRootfs,
    SecurityOpt: orNull(host.securityOpt),
    ...omitEmptyObject('StorageOpt', byKey(host.storageOpt)),
    ...omitEmptyObject('Tmpfs', byKey(host.tmpfs)),
    UTSMode: host.utsMode,
    UsernsMode: host.usernsMode,
  };
}

function fromPortBindings(bindings: HostConfig['portBindings']): PortMap {
  return Object.fromEntries(
    Object.entries(byKey(bindings)).map(([port, list]) => [
      port,
      list.map(({ hostIp, hostPort }) => ({ HostIp: hostIp, HostPort: hostPort })),
    ]),
  );
}
