import type { EventBus } from '#base';
import type { Container } from './model.ts';

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
}
