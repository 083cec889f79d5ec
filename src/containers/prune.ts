import { errorMessage, isConflict, isNotFound, type Logger } from '#base';
import type { ContainerEvents } from './container-events.ts';
import type { Engine } from './engine.ts';
import type { Lister } from './list.ts';
import type { Remover } from './remove.ts';
import type { ContainerFilters } from './types.ts';

/** Removes all containers that do not run. */
export class Pruner {
  readonly #lister: Lister;
  readonly #remover: Remover;

  readonly #events: Pick<ContainerEvents, 'publishPrune'>;
  readonly #logger: Logger;

  constructor(lister: Lister, remover: Remover, { events, logger }: Pick<Engine, 'events' | 'logger'>) {
    this.#lister = lister;
    this.#remover = remover;
    this.#events = events;
    this.#logger = logger;
  }

  /** @throws `invalid_argument` for an unknown filter. */
  async prune(filters: ContainerFilters): Promise<{ deleted: string[]; reclaimedBytes: number }> {
    const deleted: string[] = [];
    let reclaimedBytes = 0;
    for (const { id } of this.#lister.prunable(filters)) {
      const bytes = await this.#lister.writableBytes(id).catch(() => 0);
      if (!(await this.#remove(id))) continue;
      deleted.push(id);
      reclaimedBytes += bytes;
    }
    this.#events.publishPrune(reclaimedBytes);
    return { deleted, reclaimedBytes };
  }

  /** One that cannot be removed does not keep the others. */
  async #remove(id: string): Promise<boolean> {
    try {
      await this.#remover.remove(id);
      return true;
    } catch (error) {
      // Started or removed by somebody else in the meantime.
      if (!isConflict(error) && !isNotFound(error))
        this.#logger.warn('prune left a container', { container: id, error: errorMessage(error) });
      return false;
    }
  }
}
