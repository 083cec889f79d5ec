import type { KeyedMutex, Logger, MeasuredSizes } from '#base';
import type { ImageService } from '#images';
import type { NetworkService } from '#network';
import type { AppArmorHost, LimitHost, Runtime, SelinuxHost, SpecHost } from '#runtime';
import type { Snapshotter } from '#store';
import type { Sys } from '#sys';
import type { VolumeService } from '#volumes';
import type { Companions } from './companions.ts';
import type { ContainerEvents } from './container-events.ts';
import type { ResourceHost } from './create/resource-host.ts';
import type { ContainerDefaults } from './defaults.ts';
import type { Instances } from './instance.ts';
import type { Forwarders } from './log-drivers/index.ts';
import type { LostContainers } from './lost-rows.ts';
import type { SourceGate } from './mounts/source-gate.ts';
import type { Registry } from './registry.ts';

/** What the machine can give, read once. */
export interface ContainerHost {
  readonly spec: SpecHost;
  readonly appArmor: AppArmorHost;
  /** Undefined: containers have no labels. */
  readonly selinux: SelinuxHost | undefined;
  readonly limits: LimitHost;
  readonly capabilities: readonly string[];
  readonly resources: ResourceHost;
}

/** What this room asks of the images room. */
export type ContainerImages = Pick<ImageService, 'get' | 'collectGarbage' | 'createFromLayer'>;

/**
 * What the parts of this room share: the other rooms, the registry of containers and the lock of each container.
 *
 * Whoever changes a container's state holds its lock (`locks`, keyed by ID); reads never do. Nobody waits for a
 * process to end while holding it, because handling the end needs it.
 */
export interface Engine {
  readonly registry: Registry;
  readonly lostRows: LostContainers;
  readonly instances: Instances;
  readonly locks: KeyedMutex;
  readonly events: ContainerEvents;
  readonly companions: Companions;
  readonly forwarders: Forwarders;
  /** Bytes of the writable layers, by container. */
  readonly sizes: MeasuredSizes;
  readonly runtime: Runtime;
  readonly network: NetworkService;
  readonly snapshotter: Snapshotter;
  readonly images: ContainerImages;
  readonly volumes: VolumeService;
  /** To be passed before a source of a mount is looked at. */
  readonly sources: SourceGate;
  readonly sys: Sys;
  readonly host: ContainerHost;
  readonly logger: Logger;
  readonly dataRoot: string;
  readonly defaults: ContainerDefaults;
}
