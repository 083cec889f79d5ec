import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EventBus, Logger } from '#base';
import { type ContainerDefaults, type ContainerService, createContainerService } from '#containers';
import { createImageService, type ImageService, type ImageUsers } from '#images';
import { createNetworkService, type NetworkService } from '#network';
import { type IdMappings, mappedRoot } from '#oci';
import { createRuntime, findInit, type Runtime, type RuntimeNamespace } from '#runtime';
import {
  type ContentStore,
  createOverlaySnapshotter,
  type EventLog,
  type MetadataStore,
  openContentStore,
  openEventLog,
  openMetadataStore,
  type Snapshotter,
} from '#store';
import type { Sys } from '#sys';
import { createVolumeService, type VolumeService } from '#volumes';
import type { ContainerSettings, Settings } from './config/settings.ts';

/** Every service of the engine. */
export interface Services {
  readonly events: EventBus;
  readonly eventLog: EventLog;
  readonly metadata: MetadataStore;
  readonly content: ContentStore;
  readonly snapshotter: Snapshotter;
  readonly images: ImageService;
  readonly volumes: VolumeService;
  readonly network: NetworkService;
  readonly runtime: Runtime;
  readonly containers: ContainerService;
}

export interface WireOptions {
  readonly sys: Sys;
  readonly logger: Logger;
  /** The settings in force: a reload replaces them. */
  readonly settings: () => Settings;
  /** User namespace of containers; undefined: the host's. */
  readonly idMappings: IdMappings | undefined;
  /** Where monitors and runtimes are started; undefined: here. */
  readonly namespace: RuntimeNamespace | undefined;
}

/**
 * Builds the engine from the bottom up. Nothing is adopted and nothing listens yet: `containers.restore()` does the
 * first, the caller the second.
 */
export async function wireServices({
  sys,
  logger,
  settings,
  idMappings,
  namespace,
}: WireOptions): Promise<Services> {
  const { dataRoot, execRoot, runtimes } = settings();
  const metadata = openMetadataStore({ path: join(dataRoot, 'metadata.db'), logger });
  const eventLog = openEventLog({ metadata, logger });
  const events = eventLog.bus;
  const content = await openContentStore({ root: join(dataRoot, 'content'), logger });
  const snapshotter = createOverlaySnapshotter({
    root: join(dataRoot, 'overlay2'),
    metadata,
    sys,
    logger,
  });
  // Images and containers know each other: who uses an image is asked of a service that is made later.
  const later: { containers?: ContainerService } = {};
  const users: ImageUsers = { usersOf: (image) => later.containers?.usersOf(image) ?? [] };
  const images = await createImageService({ metadata, content, snapshotter, events, users, logger });
  const volumes = createVolumeService({
    ...{ metadata, dataRoot, mounts: sys.mounts, events, logger },
    ...(idMappings && { owner: mappedRoot(idMappings) }),
  });
  const network = createNetworkService({ metadata, execRoot, logger, ...networkOptions(settings()) });
  const runtime = await createRuntime({
    execRoot,
    sys,
    logger,
    addRuntimes: runtimes.added,
    cacheRoot: join(dataRoot, 'seccomp'),
    namespace,
    ...(runtimes.defaultName !== undefined && { defaultRuntime: runtimes.defaultName }),
  });
  const containers = createContainerService({
    ...{ metadata, snapshotter, images, volumes, network, runtime, sys, events, dataRoot },
    logger,
    defaults: liveDefaults(settings, idMappings),
  });
  later.containers = containers;
  return { events, eventLog, metadata, content, snapshotter, images, volumes, network, runtime, containers };
}

function networkOptions({ network }: Settings) {
  return {
    bridge: {
      ...(network.bridge !== undefined && { name: network.bridge }),
      ...(network.bip !== undefined && { bip: network.bip }),
      ...(network.fixedCidr !== undefined && { fixedCidr: network.fixedCidr }),
      ...(network.defaultGateway !== undefined && { defaultGateway: network.defaultGateway }),
      mtu: network.mtu,
      masquerade: network.masquerade,
      interContainer: network.interContainer,
    },
    firewall: network.firewall,
    addressPools: network.addressPools,
    defaultHostIp: network.defaultHostIp,
    ipForward: network.ipForward,
  };
}

/** The defaults of containers, following a reload of what may change at run time. */
function liveDefaults(settings: () => Settings, idMappings: IdMappings | undefined): ContainerDefaults {
  const fixed = containerDefaults(settings().containers);
  return {
    ...fixed,
    idMappings,
    get shmSizeBytes() {
      return settings().containers.shmSizeBytes;
    },
  };
}

function containerDefaults(settings: ContainerSettings): ContainerDefaults {
  return {
    ...(settings.cgroupnsMode && { cgroupnsMode: settings.cgroupnsMode }),
    ...(settings.cdiSpecDirs && { cdiSpecDirs: settings.cdiSpecDirs }),
    cgroupParent: settings.cgroupParent,
    shmSizeBytes: settings.shmSizeBytes,
    stopTimeoutS: 10,
    logDriver: settings.logDriver,
    logOptions: settings.logOptions,
    init: settings.init,
    initPath: settings.initPath ?? findInit(),
    ulimits: settings.ulimits,
    noNewPrivileges: settings.noNewPrivileges,
    selinux: settings.selinux,
    ipcMode: settings.ipcMode,
    dns: settings.dns,
    dnsOptions: settings.dnsOptions,
    dnsSearch: settings.dnsSearch,
    ...(settings.hostGatewayIp !== undefined && { hostGatewayIp: settings.hostGatewayIp }),
    seccompProfile: readProfile(settings.seccompProfile),
  };
}

/** The profile's text; `unconfined` stays that word. */
function readProfile(setting: string | undefined): string | undefined {
  return setting === undefined || setting === 'unconfined' ? setting : readFileSync(setting, 'utf8');
}
