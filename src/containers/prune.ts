import { isConflict, isNotFound } from '#base';
import type { Lister } from './list.ts';
import type { Remover } from './remove.ts';
import type { ContainerFilters } from './types.ts';

/** Removes all containers that do not run. */
export class Pruner {
  readonly #lister: Lister;
  readonly #remover: Remover;

  constructor(lister: Lister, remover: Remover) {
    this.#lister = lister;
    this.#remover = remover;
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
    return { deleted, reclaimedBytes };
  }
}
