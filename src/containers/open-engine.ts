import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type EventBus, errorMessage, KeyedMutex, type Logger, MeasuredSizes } from '#base';
import type { NetworkService } from '#network';
import {
  availableCapabilities,
  openAppArmor,
  openSelinux,
  type Runtime,
  readLimitHost,
  readSpecHost,
} from '#runtime';
import { lostRowsIn, type MetadataStore, type Snapshotter, tryTransaction } from '#store';
import type { Sys } from '#sys';
import type { VolumeService } from '#volumes';
import { Companions } from './companions.ts';
import { ContainerEvents } from './container-events.ts';
import { readResourceHost } from './create/resource-host.ts';
import { decodeContainer } from './decode.ts';
import { CONTAINER_DEFAULTS, type ContainerDefaults } from './defaults.ts';
import type { ContainerHost, ContainerImages, Engine } from './engine.ts';
import { Instances } from './instance.ts';
import { Forwarders } from './log-drivers/index.ts';
import { addRowless, CONTAINERS, holdForLost, openLostContainers } from './lost-rows.ts';
import { SourceGate } from './mounts/source-gate.ts';
import { containersDirectory } from './paths.ts';
import { Registry } from './registry.ts';

export interface ContainerServiceOptions {
  readonly metadata: MetadataStore;
  readonly snapshotter: Snapshotter;
  readonly images: ContainerImages;
  readonly network: NetworkService;
  readonly runtime: Runtime;
  readonly volumes: VolumeService;
  readonly sys: Sys;
  readonly events: EventBus;
  readonly logger: Logger;
  /** Containers live in `<dataRoot>/containers/<id>`. */
  readonly dataRoot: string;
  /** Read at each use: an object with getters follows a reload of the configuration. Default {@link CONTAINER_DEFAULTS}. */
  readonly defaults?: ContainerDefaults;
  /** Where the machine's own files are, for recorded trees. Default `/`. */
  readonly hostRoot?: string;
  /** Default: read from this machine. */
  readonly host?: ContainerHost;
}

/** Makes what all parts of the room share, and reads what is stored. Volumes that stored containers name are held then. */
export function openEngine(options: ContainerServiceOptions): Engine {
  mkdirSync(containersDirectory(options.dataRoot), { recursive: true, mode: 0o710 });
  const logger = options.logger.child({ room: 'containers' });
  const engine: Engine = {
    ...options,
    ...openRows({ ...options, logger }),
    logger,
    companions: new Companions(logger),
    forwarders: new Forwarders({ logger }),
    sizes: new MeasuredSizes({ measure: (id) => options.snapshotter.usage(id) }),
    instances: new Instances(),
    sources: new SourceGate(options.sys),
    locks: new KeyedMutex(),
    events: new ContainerEvents(options.events),
    defaults: options.defaults ?? CONTAINER_DEFAULTS,
    host: options.host ?? readContainerHost(options, logger),
  };
  if (options.metadata.isRebuilt) addRowless(engine);
  holdVolumes(engine);
  return engine;
}

/** At once: a crash after a damaged row was set aside must not make the next daemon forget it. */
function openRows(
  options: Pick<ContainerServiceOptions, 'metadata' | 'dataRoot' | 'logger'>,
): Pick<Engine, 'registry' | 'lostRows'> {
  const { metadata, logger } = options;
  const containers = metadata.collection(CONTAINERS, decodeContainer);
  const rows = lostRowsIn(metadata, CONTAINERS);
  return tryTransaction(
    metadata,
    () => ({ registry: new Registry(containers), lostRows: openLostContainers(rows, options) }),
    (error) => logger.warn('damaged rows could not be set aside', { error: errorMessage(error) }),
  );
}

const readContainerHost = (
  { sys, defaults, hostRoot = '/' }: ContainerServiceOptions,
  logger: Logger,
): ContainerHost => ({
  selinux: openSelinux({ wanted: defaults?.selinux ?? false, logger, root: hostRoot }),
  appArmor: openAppArmor({ logger, sysfs: join(hostRoot, 'sys') }),
  spec: readSpecHost(),
  limits: readLimitHost(sys),
  capabilities: availableCapabilities(sys),
  resources: readResourceHost(sys.cgroups),
});

/** Before the first request, so that no prune can take a volume that a container names. */
function holdVolumes(engine: Engine): void {
  const { registry, volumes } = engine;
  for (const { id, mounts } of registry.all()) {
    for (const { type, name } of mounts) if (type === 'volume' && name !== '') volumes.hold(name, id);
  }
  holdForLost(engine);
}
