import {
  formatApiVersion,
  MAX_API_VERSION,
  MIN_API_VERSION,
  type SystemInfo,
  type SystemVersion,
} from '#api';
import type { EngineInfo, EngineVersion } from '../router/system/backend.ts';
import { byKey, omitEmpty, omitEmptyObject, orNull } from './zero.ts';

export function fromVersion(version: EngineVersion): SystemVersion {
  const api = {
    ApiVersion: formatApiVersion(MAX_API_VERSION),
    MinAPIVersion: formatApiVersion(MIN_API_VERSION),
  };
  const engine = {
    Name: 'Engine',
    Version: version.version,
    Details: byKey({
      ...api,
      Arch: version.architecture,
      BuildTime: version.buildTime,
      Experimental: String(version.experimental),
      GitCommit: version.gitCommit,
      GoVersion: version.runtime,
      KernelVersion: version.kernelVersion,
      Os: 'linux',
    }),
  };
  const components = version.components.map(({ name, version: text, details }) => ({
    Name: name,
    Version: text,
    ...omitEmptyObject('Details', byKey(details)),
  }));
  return {
    Platform: { Name: version.platformName },
    Version: version.version,
    ...api,
    Os: 'linux',
    Arch: version.architecture,
    Components: [engine, ...components],
    ...omitEmpty('GitCommit', version.gitCommit),
    ...omitEmpty('GoVersion', version.runtime),
    ...omitEmpty('KernelVersion', version.kernelVersion),
    ...omitEmpty('BuildTime', version.buildTime),
  };
}

/** In docker's order. */
export function fromInfo(info: EngineInfo): SystemInfo {
  return {
    ID: info.id,
    Containers: info.containers.total,
    ContainersRunning: info.containers.running,
    ContainersPaused: info.containers.paused,
    ContainersStopped: info.containers.stopped,
    Images: info.images,
    Driver: info.storage.driver,
    DriverStatus: info.storage.status,
    Plugins: {
      Volume: info.plugins.volume,
      Network: info.plugins.network,
      Authorization: orNull(info.plugins.authorization),
      Log: info.plugins.log,
    },
    ...fromLimits(info),
    NGoroutines: info.tasks,
    SystemTime: info.systemTime,
    LoggingDriver: info.loggingDriver,
    CgroupDriver: info.cgroup.driver,
    CgroupVersion: info.cgroup.version,
    NEventsListener: info.eventListeners,
    KernelVersion: info.host.kernelVersion,
    OperatingSystem: info.host.operatingSystem,
    OSVersion: info.host.osVersion,
    OSType: 'linux',
    Architecture: info.host.architecture,
    IndexServerAddress: 'https://index.docker.io/v1/',
    RegistryConfig: fromRegistry(info),
    NCPU: info.host.cpus,
    MemTotal: info.host.memoryBytes,
    GenericResources: null,
    ...fromEngine(info),
    ...fromRuntimes(info),
    SecurityOptions: info.securityOptions,
    ...fromLists(info),
    Warnings: orNull(info.warnings),
  };
}

function fromLimits({ limits, debug, openFiles }: EngineInfo) {
  return {
    MemoryLimit: limits.memory,
    SwapLimit: limits.swap,
    CpuCfsPeriod: limits.cpuCfsPeriod,
    CpuCfsQuota: limits.cpuCfsQuota,
    CPUShares: limits.cpuShares,
    CPUSet: limits.cpuset,
    PidsLimit: limits.pids,
    IPv4Forwarding: limits.ipv4Forwarding,
    Debug: debug,
    NFd: openFiles,
    OomKillDisable: limits.oomKillDisable,
  };
}

function fromRegistry({ registry }: EngineInfo): SystemInfo['RegistryConfig'] {
  return {
    InsecureRegistryCIDRs: registry.insecureCidrs,
    IndexConfigs: byKey(
      Object.fromEntries(
        registry.indexes.map(({ name, mirrors, secure, official }) => [
          name,
          { Name: name, Mirrors: mirrors, Secure: secure, Official: official },
        ]),
      ),
    ),
    Mirrors: registry.mirrors,
  };
}

function fromEngine(info: EngineInfo) {
  const runtimes = Object.entries(info.runtimes.all).map(([name, { path, args }]) => [
    name,
    { ...omitEmpty('path', path), ...omitEmptyObject('runtimeArgs', args) },
  ]);
  return {
    DockerRootDir: info.dataRoot,
    HttpProxy: info.proxy.http,
    HttpsProxy: info.proxy.https,
    NoProxy: info.proxy.no,
    Name: info.host.name,
    Labels: info.labels,
    ExperimentalBuild: info.experimental,
    ServerVersion: info.version,
    Runtimes: byKey(Object.fromEntries(runtimes) as SystemInfo['Runtimes']),
    DefaultRuntime: info.runtimes.default,
    Swarm: {
      NodeID: '',
      NodeAddr: '',
      LocalNodeState: 'inactive',
      ControlAvailable: false,
      Error: '',
      RemoteManagers: null,
    },
    LiveRestoreEnabled: info.liveRestore,
    Isolation: '',
  };
}

function fromRuntimes({ runtimes }: EngineInfo) {
  return {
    InitBinary: runtimes.initBinary,
    ContainerdCommit: { ID: '' },
    RuncCommit: { ID: runtimes.runcCommit },
    InitCommit: { ID: runtimes.initCommit },
  };
}

function fromLists(info: EngineInfo) {
  return {
    ...omitEmptyObject(
      'DefaultAddressPools',
      info.addressPools.map(({ base, size }) => ({ Base: base, Size: size })),
    ),
    ...(info.firewallDriver === '' ? {} : { FirewallBackend: { Driver: info.firewallDriver } }),
    CDISpecDirs: info.cdiSpecDirs,
    ...omitEmptyObject(
      'DiscoveredDevices',
      info.discoveredDevices.map((id) => ({ Source: 'cdi', ID: id })),
    ),
  };
}
