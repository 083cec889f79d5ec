import type { EventBus } from '#base';
import { type Digest, familiarReference, type Reference } from '#oci';
import type { ImageCatalog } from './catalog.ts';

export type ImageAction = 'import' | 'load' | 'save' | 'tag' | 'untag' | 'delete';

/**
 * Publishes image events with docker's actor: the ID, the labels of the image (while it is there) and as `name`
 * the reference for `tag`, the ID for all others.
 */
export class ImageEvents {
  readonly #bus: EventBus;
  readonly #catalog: ImageCatalog;

  constructor(bus: EventBus, catalog: ImageCatalog) {
    this.#bus = bus;
    this.#catalog = catalog;
  }

  publish(action: ImageAction, id: Digest, reference?: Reference): void {
    const labels = this.#catalog.get(id)?.config.config?.Labels;
    const name = reference === undefined ? id : familiarReference(reference);
    this.#bus.publish({ type: 'image', action, actorId: id, attributes: { ...labels, name } });
  }

  pruned(reclaimedBytes: number): void {
    const attributes = { reclaimed: String(reclaimedBytes) };
    this.#bus.publish({ type: 'image', action: 'prune', actorId: '', attributes });
  }
}
