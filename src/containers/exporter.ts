import type { Readable } from 'node:stream';
import { errorMessage } from '#base';
import type { Engine } from './engine.ts';
import { exportTree } from './export.ts';
import { isAlive } from './state.ts';

/** Trees of containers as archives, running or not. */
export class Exporter {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** The tree stays mounted until the stream is closed. @throws `not_found`. */
  async export(ref: string): Promise<Readable> {
    const { registry, snapshotter, sys, events, locks } = this.#engine;
    const container = registry.resolve(ref);
    const { id } = container;
    const rootfs = await locks.run(id, () => snapshotter.mount(id));
    events.publish(container, 'export');
    return exportTree(sys, rootfs, {
      done: () => void this.#unmountLater(id),
      mappings: registry.byId(id)?.idMappings,
    });
  }

  /** For an end that nobody waits for; what stays mounted goes with the next run or removal. */
  async #unmountLater(id: string): Promise<void> {
    const { locks, logger } = this.#engine;
    try {
      await locks.run(id, () => this.#unmountIdle(id));
    } catch (error) {
      logger.warn('not unmounted after an export', { container: id, error: errorMessage(error) });
    }
  }

  #unmountIdle(id: string): void {
    const { registry, snapshotter } = this.#engine;
    const container = registry.byId(id);
    if (container && !isAlive(container.state)) snapshotter.unmount(id);
  }
}
