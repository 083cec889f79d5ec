import { shortId } from '#base';
import {
  type Digest,
  familiarReference,
  parseReference,
  type Reference,
  repositoryName,
  withDefaultTag,
} from '#oci';
import type { CatalogEntry, ImageCatalog } from './catalog.ts';
import { type DeleteConflict, deleteConflict, referenceInUse } from './errors.ts';
import { blobsOf, type Reclaimed, type Reclaimer } from './garbage.ts';
import type { ImageEvents } from './image-events.ts';
import { isIdOf, resolveId } from './resolve.ts';
import type { ImageDeletion, ImageUsers } from './types.ts';

export interface RemovalOptions {
  readonly catalog: ImageCatalog;
  readonly reclaimer: Reclaimer;
  readonly events: ImageEvents;
  readonly users: ImageUsers;
}

/** One removal: what it did so far is `records`. */
interface Removal {
  readonly force: boolean;
  readonly prune: boolean;
  readonly records: ImageDeletion[];
  reclaimedBytes: number;
}

export interface RemovalResult {
  readonly records: ImageDeletion[];
  /** Unpacked bytes of the layers that went. */
  readonly reclaimedBytes: number;
}

/**
 * docker's rmi. A reference is untagged; when it was the last one, the image goes too unless something else
 * holds it. An ID removes the image with its only name. An image out of reach goes likewise. Source: moby daemon/images, ImageDelete.
 */
export class ImageRemover {
  readonly #options: RemovalOptions;

  constructor(options: RemovalOptions) {
    this.#options = options;
  }

  /** @throws `not_found`, `conflict` with docker's texts; then nothing was removed. */
  async remove(name: string, { force = false, prune = true } = {}): Promise<RemovalResult> {
    const id = resolveId(this.#options.catalog, name);
    const removal: Removal = { force, prune, records: [], reclaimedBytes: 0 };
    if (isIdOf(id, name)) {
      this.#untagOnlyName(id, removal);
      await this.#delete(id, removal, false);
    } else if (this.#untagNamed(id, name, removal)) {
      await this.#delete(id, removal, true);
    }
    return removal;
  }

  /** Takes one name off. Whether it was the last one. */
  #untagNamed(id: Digest, name: string, removal: Removal): boolean {
    const { catalog, users } = this.#options;
    const [user] = users.usersOf(id);
    if (!removal.force && user && isOnlyName(catalog.referencesOf(id))) {
      throw referenceInUse(name, user.containerId, id);
    }
    const reference = withDefaultTag(parseReference(name));
    this.#untag(id, reference, removal);
    const left = catalog.referencesOf(id);
    const sameRepository = left.filter((other) => repositoryName(other) === repositoryName(reference));
    // With the last tag of a repository its digests lose their meaning.
    if (reference.digest === undefined && sameRepository.every(({ digest }) => digest !== undefined)) {
      for (const digest of sameRepository) {
        catalog.untag(digest);
        removal.records.push({ untagged: familiarReference(digest) });
      }
    }
    return catalog.referencesOf(id).length === 0;
  }

  #untagOnlyName(id: Digest, removal: Removal): void {
    const references = this.#options.catalog.referencesOf(id);
    if (!isOnlyName(references)) return;
    const conflict = this.#conflictOf(id, { ignoreNames: true, hardOnly: removal.force });
    if (conflict) throw deleteConflict(id, conflict);
    for (const reference of references) this.#untag(id, reference, removal);
  }

  async #delete(id: Digest, removal: Removal, quiet: boolean): Promise<void> {
    const { catalog, events } = this.#options;
    const conflict = this.#conflictOf(id, { hardOnly: removal.force });
    if (conflict) {
      const isDangling = catalog.referencesOf(id).length === 0 && catalog.childrenOf(id).length === 0;
      if (quiet && (!isDangling || conflict.used)) return;
      throw deleteConflict(id, conflict);
    }
    const entry = catalog.get(id);
    for (const reference of catalog.referencesOf(id)) this.#untag(id, reference, removal);
    catalog.delete(id);
    events.publish('delete', id);
    removal.records.push({ deleted: id });
    const reclaimed = await this.#reclaim(entry);
    removal.records.push(...reclaimed.layers.map((deleted) => ({ deleted })));
    removal.reclaimedBytes += reclaimed.layersBytes;
    const parent = entry?.document.parent;
    if (removal.prune && parent && catalog.get(parent)) await this.#pruneParent(parent, removal);
  }

  /** What an image out of reach needed was never known: all that nobody else needs goes. */
  #reclaim(entry: CatalogEntry | undefined): Promise<Reclaimed> {
    const { reclaimer } = this.#options;
    if (entry === undefined) return reclaimer.sweep();
    return reclaimer.reclaim({ blobs: blobsOf(entry), layers: entry.chain });
  }

  /** Ancestors without a name and a use go along, and never against a conflict. */
  async #pruneParent(id: Digest, removal: Removal): Promise<void> {
    if (this.#conflictOf(id, { hardOnly: false })) return;
    const step: Removal = { force: false, prune: true, records: removal.records, reclaimedBytes: 0 };
    await this.#delete(id, step, true);
    removal.reclaimedBytes += step.reclaimedBytes;
  }

  #untag(id: Digest, reference: Reference, removal: Removal): void {
    this.#options.catalog.untag(reference);
    this.#options.events.publish('untag', id);
    removal.records.push({ untagged: familiarReference(reference) });
  }

  /** The first thing that keeps an image from going, in docker's order. */
  #conflictOf(
    id: Digest,
    { hardOnly, ignoreNames = false }: { hardOnly: boolean; ignoreNames?: boolean },
  ): DeleteConflict | undefined {
    const { catalog, users } = this.#options;
    if (catalog.childrenOf(id).length > 0) {
      return { hard: true, used: false, reason: 'image has dependent child images' };
    }
    const inUse = users.usersOf(id);
    const running = inUse.find((user) => user.running);
    if (running) {
      const reason = `image is being used by running container ${shortId(running.containerId)}`;
      return { hard: true, used: true, reason };
    }
    if (hardOnly) return undefined;
    if (!ignoreNames && catalog.referencesOf(id).length > 0) {
      return { hard: false, used: false, reason: 'image is referenced in multiple repositories' };
    }
    const stopped = inUse[0];
    if (stopped === undefined) return undefined;
    const reason = `image is being used by stopped container ${shortId(stopped.containerId)}`;
    return { hard: false, used: true, reason };
  }
}

/** At most one tag, and all digests in that tag's repository; false for no name at all. */
function isOnlyName(references: readonly Reference[]): boolean {
  const [first] = references;
  if (first === undefined) return false;
  if (references.length === 1) return true;
  const tags = references.filter(({ digest }) => digest === undefined);
  const repositories = new Set(references.map(repositoryName));
  return tags.length <= 1 && repositories.size === 1;
}
