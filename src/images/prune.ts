import { errorMessage, isConflict, type Logger } from '#base';
import { formatReference } from '#oci';
import type { CatalogEntry, ImageCatalog } from './catalog.ts';
import { pruneRunning } from './errors.ts';
import type { ImageEvents } from './image-events.ts';
import { hasLabels } from './list.ts';
import type { ImageRemover } from './remove.ts';
import type { ImageDeletion, ImageFilters } from './types.ts';

export interface PruneResult {
  readonly deleted: ImageDeletion[];
  readonly reclaimedBytes: number;
}

export interface PrunerOptions {
  readonly catalog: ImageCatalog;
  readonly remover: ImageRemover;
  readonly events: ImageEvents;
  readonly logger: Logger;
}

/** docker's image prune: removes what nobody uses, one image after the other, and skips what conflicts. */
export class ImagePruner {
  readonly #options: PrunerOptions;
  #isRunning = false;

  constructor(options: PrunerOptions) {
    this.#options = options;
  }

  /** @throws `conflict` while another prune runs. */
  async prune({
    all = false,
    filters = {},
  }: {
    all?: boolean;
    filters?: ImageFilters;
  } = {}): Promise<PruneResult> {
    if (this.#isRunning) throw pruneRunning();
    this.#isRunning = true;
    try {
      return await this.#prune(all, filters);
    } finally {
      this.#isRunning = false;
    }
  }

  async #prune(all: boolean, filters: ImageFilters): Promise<PruneResult> {
    const { catalog, events } = this.#options;
    const deleted: ImageDeletion[] = [];
    let reclaimedBytes = 0;
    for (const entry of catalog.entries().filter((candidate) => this.#isCandidate(candidate, all, filters))) {
      for (const name of this.#namesToRemove(entry, all)) {
        const result = await this.#remove(name);
        deleted.push(...(result?.records ?? []));
        reclaimedBytes += result?.reclaimedBytes ?? 0;
      }
    }
    events.pruned(reclaimedBytes);
    return { deleted, reclaimedBytes };
  }

  #isCandidate(entry: CatalogEntry, all: boolean, filters: ImageFilters): boolean {
    const { catalog } = this.#options;
    const hasChildren = catalog.childrenOf(entry.id).length > 0;
    const isNamed = catalog.referencesOf(entry.id).length > 0;
    if (hasChildren && !(all && isNamed)) return false;
    const { untilMs } = filters;
    const isTooNew =
      untilMs !== undefined && (entry.config.created === undefined || entry.createdMs > untilMs);
    return !isTooNew && hasLabels(entry, filters);
  }

  #namesToRemove({ id }: CatalogEntry, all: boolean): string[] {
    const references = this.#options.catalog.referencesOf(id);
    if (references.length === 0) return [id];
    const isTagged = references.some(({ digest }) => digest === undefined);
    return all || !isTagged ? references.map(formatReference) : [];
  }

  async #remove(name: string) {
    try {
      return await this.#options.remover.remove(name);
    } catch (error) {
      if (!isConflict(error)) {
        this.#options.logger.warn('image not pruned', { image: name, error: errorMessage(error) });
      }
      return undefined;
    }
  }
}
