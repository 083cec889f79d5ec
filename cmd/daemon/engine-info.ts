import { readdirSync } from 'node:fs';
import { type EventBus, silentLogger } from '#base';
import {
  CDI_SPEC_DIRS,
  CdiRegistry,
  type ContainerService,
  LOG_DRIVER_NAMES,
  readResourceHost,
} from '#containers';
import type { ImageService } from '#images';
import { hostPlatform } from '#oci';
import { findInit, isAppArmorEnabled, openSelinux, type Runtime } from '#runtime';
import type { EngineInfo, EngineVersion } from '#server';
import type { Snapshotter } from '#store';
import type { Cgroups } from '#sys';
import { BUILD_TIME, COMMIT, VERSION } from '../version.ts';
import type { Settings } from './config/settings.ts';
import type { HostFacts } from './host-facts.ts';
import { limitWarnings, supportedLimits } from './limits.ts';

/** What `info` adds up. Each part answers from memory. */
export interface InfoSources {
  readonly engineId: string;
  readonly facts: HostFacts;
  readonly cgroups: Cgroups;
  readonly containers: ContainerService;
  readonly images: ImageService;
  readonly snapshotter: Snapshotter;
  readonly runtime: Runtime;
  readonly events: EventBus;
  /** The settings in force: a reload replaces them. */
  readonly settings: () => Settings;
  /** Containers are mapped by default. */
  readonly hasUserNamespaces: boolean;
}

export function engineVersion(
  facts: HostFacts,
  components: EngineVersion['components'],
  { experimental }: Pick<Settings, 'experimental'>,
): EngineVersion {
  return {
    version: VERSION,
    platformName: 'Gantry',
    experimental,
    gitCommit: COMMIT,
    buildTime: BUILD_TIME,
    runtime: `bun${Bun.version}`,
    architecture: hostPlatform().architecture,
    kernelVersion: facts.kernelVersion,
    components,
  };
}

export function engineInfo(sources: InfoSources): EngineInfo {
  const settings = sources.settings();
  const { facts, runtime, snapshotter } = sources;
  const { supported } = readResourceHost(sources.cgroups);
  const limits = supportedLimits(supported);
  return {
    id: sources.engineId,
    version: VERSION,
    containers: sources.containers.counts(),
    images: sources.images.list().length,
    storage: { driver: snapshotter.name, status: snapshotter.status() },
    plugins: {
      volume: ['local'],
      network: ['bridge', 'host', 'null'],
      authorization: [],
      log: LOG_DRIVER_NAMES,
    },
    limits,
    debug: settings.logLevel === 'debug',
    openFiles: countEntries('/proc/self/fd'),
    tasks: countEntries('/proc/self/task'),
    systemTime: new Date().toISOString(),
    loggingDriver: settings.containers.logDriver,
    cgroup: { driver: 'cgroupfs', version: sources.cgroups.mode === 'unified' ? '2' : '1' },
    eventListeners: sources.events.listenerCount,
    host: { ...facts, architecture: facts.machine },
    registry: {
      insecureCidrs: ['127.0.0.0/8', '::1/128'],
      mirrors: [],
      indexes: [{ name: 'docker.io', mirrors: [], secure: true, official: true }],
    },
    runtimes: {
      default: runtime.defaultRuntime,
      all: runtime.runtimes,
      runcCommit: '',
      initBinary: settings.containers.initPath ?? findInit() ?? '',
      initCommit: '',
    },
    dataRoot: settings.dataRoot,
    proxy: {
      http: process.env['HTTP_PROXY'] ?? '',
      https: process.env['HTTPS_PROXY'] ?? '',
      no: process.env['NO_PROXY'] ?? '',
    },
    labels: settings.labels,
    liveRestore: settings.liveRestore,
    experimental: settings.experimental,
    securityOptions: securityOptions(settings.containers, sources),
    addressPools: settings.network.addressPools,
    firewallDriver: settings.network.firewall ? 'nftables' : '',
    cdiSpecDirs: settings.containers.cdiSpecDirs ?? CDI_SPEC_DIRS,
    // Whoever asks for a device is told about files that cannot be read.
    discoveredDevices: new CdiRegistry(settings.containers.cdiSpecDirs ?? CDI_SPEC_DIRS, silentLogger).names,
    warnings: limitWarnings(supported, limits, sources.cgroups.mode),
  };
}

/** What protects containers, in docker's notation. */
function securityOptions(
  { noNewPrivileges, seccompProfile, selinux, cgroupnsMode }: Settings['containers'],
  { hasUserNamespaces, cgroups }: InfoSources,
): string[] {
  return [
    ...(isAppArmorEnabled() ? ['name=apparmor'] : []),
    `name=seccomp,profile=${seccompProfile ?? 'builtin'}`,
    ...(openSelinux({ wanted: selinux, logger: silentLogger }) ? ['name=selinux'] : []),
    ...(hasUserNamespaces ? ['name=userns'] : []),
    // Containers get one of their own unless they ask for the host's.
    ...((cgroupnsMode ?? (cgroups.mode === 'unified' ? 'private' : 'host')) === 'private'
      ? ['name=cgroupns']
      : []),
    ...(noNewPrivileges ? ['name=no-new-privileges'] : []),
  ];
}

/** 0 when it cannot be read: with no descriptor left, `info` is what people ask first. */
function countEntries(directory: string): number {
  try {
    return readdirSync(directory).length;
  } catch {
    return 0;
  }
}
