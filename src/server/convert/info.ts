import {
  formatApiVersion,
  MAX_API_VERSION,
  MIN_API_VERSION,
  type SystemInfo,
  type SystemVersion,
} from '#api';
import type { EngineInfo, EngineVersion } from '../router/system/backend.ts';
import { omitEmpty, omitEmptyObject, orNull } from './zero.ts';

export function fromVersion(version: EngineVersion): SystemVersion {
  const api = {
    ApiVersion: formatApiVersion(MAX_API_VERSION),
    MinAPIVersion: formatApiVersion(MIN_API_VERSION),
  };
  const engine = {
    Name: 'Engine',
    Version: version.version,
    Details: {
      ...api,
      Arch: version.architecture,
      BuildTime: version.buildTime,
      Experimental: 'false',
      GitCommit: version.gitCommit,
      GoVersion: version.runtime,
      KernelVersion: version.kernelVersion,
      Os: 'linux',
    },
  };
  const components = version.components.map(({ name, version: text, details }) => ({
    Name: name,
    Version: text,
    ...omitEmptyObject('Details', details),
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
    Debug: info.debug,
    NFd: info.openFiles,
    NGoroutines: info.tasks,
    SystemTime: info.systemTime,
    LoggingDriver: info.loggingDriver,
    CgroupDriver: info.cgroup.driver,
    CgroupVersion: info.cgroup.version,
    NEventsListener: info.eventListeners,
    ...fromHost(info),
    IndexServerAddress: 'https://index.docker.io/v1/',
    RegistryConfig: {
      InsecureRegistryCIDRs: info.registry.insecureCidrs,
      IndexConfigs: Object.fromEntries(
        info.registry.indexes.map(({ name, mirrors, secure, official }) => [
          name,
          { Name: name, Mirrors: mirrors, Secure: secure, Official: official },
        ]),
      ),
      Mirrors: info.registry.mirrors,
    },
    ...fromRuntimes(info),
    ...fromEngine(info),
  };
}

function fromLimits({ limits }: EngineInfo) {
  return {
    MemoryLimit: limits.memory,
    SwapLimit: limits.swap,
    CpuCfsPeriod: limits.cpuCfsPeriod,
    CpuCfsQuota: limits.cpuCfsQuota,
    CPUShares: limits.cpuShares,
    CPUSet: limits.cpuset,
    PidsLimit: limits.pids,
    IPv4Forwarding: limits.ipv4Forwarding,
    OomKillDisable: limits.oomKillDisable,
  };
}

function fromHost({ host }: EngineInfo) {
  return {
    KernelVersion: host.kernelVersion,
    OperatingSystem: host.operatingSystem,
    OSVersion: host.osVersion,
    OSType: 'linux',
    Architecture: host.architecture,
    NCPU: host.cpus,
    MemTotal: host.memoryBytes,
    Name: host.name,
  };
}

function fromRuntimes({ runtimes }: EngineInfo) {
  return {
    Runtimes: Object.fromEntries(
      Object.entries(runtimes.all).map(([name, { path, args }]) => [
        name,
        { ...omitEmpty('path', path), ...omitEmptyObject('runtimeArgs', args) },
      ]),
    ),
    DefaultRuntime: runtimes.default,
    ContainerdCommit: { ID: '' },
    RuncCommit: { ID: runtimes.runcCommit },
    InitCommit: { ID: runtimes.initCommit },
    InitBinary: runtimes.initBinary,
  };
}

function fromEngine(info: EngineInfo) {
  return {
    GenericResources: null,
    DockerRootDir: info.dataRoot,
    HttpProxy: info.proxy.http,
    HttpsProxy: info.proxy.https,
    NoProxy: info.proxy.no,
    Labels: info.labels,
    ExperimentalBuild: false,
    ServerVersion: info.version,
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
    SecurityOptions: info.securityOptions,
    ...omitEmptyObject(
      'DefaultAddressPools',
      info.addressPools.map(({ base, size }) => ({ Base: base, Size: size })),
    ),
    FirewallBackend: { Driver: info.firewallDriver },
    CDISpecDirs: info.cdiSpecDirs,
    Warnings: orNull(info.warnings),
  };
}
