import { isConflict, isNotFound } from '#base';
import type { ContainerEvents } from './container-events.ts';
import type { Lister } from './list.ts';
import type { Remover } from './remove.ts';
import type { ContainerFilters } from './types.ts';

/** Removes all containers that do not run. */
export class Pruner {
  readonly #lister: Lister;
  readonly #remover: Remover;

  readonly #events: Pick<ContainerEvents, 'publishPrune'>;

  constructor(lister: Lister, remover: Remover, events: Pick<ContainerEvents, 'publishPrune'>) {
    this.#lister = lister;
    this.#remover = remover;
    this.#events = events;
  }

  /** @throws `invalid_argument` for an unknown filter. */
  async prune(filters: ContainerFilters): Promise<{ deleted: string[]; reclaimedBytes: number }> {
    const deleted: string[] = [];
    let reclaimedBytes = 0;
    for (const { id } of this.#lister.prunable(filters)) {
      const bytes = await this.#lister.writableBytes(id);
      try {
        await this.#remover.remove(id);
      } catch (error) {
        // Started or removed by somebody else in the meantime.
        if (isConflict(error) || isNotFound(error)) continue;
        throw error;
      }
      deleted.push(id);
      reclaimedBytes += bytes;
    }
    this.#events.publishPrune(reclaimedBytes);
    return { deleted, reclaimedBytes };
  }
}
