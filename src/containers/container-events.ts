import type { EventBus } from '#base';
import type { Sandbox } from '#network';
import type { Container, MountPoint } from './model.ts';

/** Publishes container events with docker's attributes: image, name and all labels. */
export class ContainerEvents {
  readonly #bus: EventBus;

  constructor(bus: EventBus) {
    this.#bus = bus;
  }

  publish(container: Container, action: string, attributes: Readonly<Record<string, string>> = {}): void {
    const { image, labels } = container.config;
    this.#bus.publish({
      type: 'container',
      action,
      actorId: container.id,
      attributes: { ...labels, image, name: container.name, ...attributes },
    });
  }

  /** What a start does to networks and volumes. Another container's network is not its own. */
  publishTaken(container: Container, sandbox: Sandbox | undefined): void {
    this.#publishNetworks('connect', container, sandbox);
    for (const mount of volumesOf(container)) {
      this.#publishVolume('mount', container, mount, {
        destination: mount.destination,
        propagation: mount.propagation,
        'read/write': String(mount.rw),
      });
    }
  }

  /** What the end of a run gives back of {@link publishTaken}. */
  publishGivenBack(container: Container, sandbox: Sandbox | undefined): void {
    this.#publishNetworks('disconnect', container, sandbox);
    for (const mount of volumesOf(container)) this.#publishVolume('unmount', container, mount);
  }

  publishPrune(reclaimedBytes: number): void {
    this.#bus.publish({
      type: 'container',
      action: 'prune',
      actorId: '',
      attributes: { reclaimed: String(reclaimedBytes) },
    });
  }

  #publishNetworks(action: 'connect' | 'disconnect', { id }: Container, sandbox: Sandbox | undefined): void {
    if (sandbox?.containerId !== id) return;
    for (const { networkId, networkName } of sandbox.endpoints) {
      const type = SPECIAL_DRIVERS[networkName] ?? 'bridge';
      const attributes = { container: id, name: networkName, type };
      this.#bus.publish({ type: 'network', action, actorId: networkId, attributes });
    }
  }

  #publishVolume(
    action: 'mount' | 'unmount',
    { id }: Container,
    { name, driver }: MountPoint,
    more: Readonly<Record<string, string>> = {},
  ): void {
    const attributes = { container: id, driver, ...more };
    this.#bus.publish({ type: 'volume', action, actorId: name, attributes });
  }
}

/** Drivers of the networks that have no bridge. */
const SPECIAL_DRIVERS: Readonly<Record<string, string>> = { host: 'host', none: 'null' };

const volumesOf = ({ mounts }: Container): MountPoint[] => mounts.filter(({ type }) => type === 'volume');
