import { dataLoss, errorMessage, type Logger } from '#base';
import type { Collection, MetadataStore } from '../types.ts';

/** Why something has no row that can be read. */
export interface LostRow {
  readonly reason: string;
}

export interface LostRowsOptions<Id extends string> {
  /** The collection whose rows were damaged; it has been read before. */
  readonly collection: string;
  /** {@link lostRowsIn} for that collection. */
  readonly rows: Collection<LostRow>;
  readonly metadata: MetadataStore;
  readonly isId: (key: string) => key is Id;
  /** Whether nobody wants what is left of a noted one any more. Default: never. */
  readonly isGivenUp?: (id: Id) => boolean;
  readonly logger: Logger;
}

/**
 * Whose rows were damaged, by ID. What is left of them cannot be told from what an interrupted change leaves, so it is noted
 * here, beyond the daemon that found the damage (ADR 0017).
 */
export class LostRows<Id extends string> {
  readonly #collection: string;
  readonly #rows: Collection<LostRow>;
  readonly #known: Map<Id, LostRow>;
  readonly #logger: Logger;

  constructor({ collection, rows, metadata, isId, isGivenUp, logger }: LostRowsOptions<Id>) {
    this.#collection = collection;
    this.#logger = logger;
    this.#rows = rows;
    this.#known = new Map(rows.entries().flatMap(([id, row]) => (isId(id) ? [[id, row]] : [])));
    for (const id of this.#known.keys()) if (isGivenUp?.(id)) this.forget(id);
    const damaged = [collection, notesOf(collection)];
    for (const { collection: from, key, reason } of metadata.quarantined)
      if (damaged.includes(from) && isId(key)) this.add(key, reason);
  }

  add(id: Id, reason: string): void {
    if (this.#known.has(id)) return;
    this.#known.set(id, { reason });
    this.#note(id, () => this.#rows.put(id, { reason }));
  }

  has(id: Id): boolean {
    return this.#known.has(id);
  }

  all(): (readonly [id: Id, row: LostRow])[] {
    return [...this.#known];
  }

  forget(id: Id): void {
    if (this.#known.delete(id)) this.#note(id, () => this.#rows.delete(id));
  }

  /** Not for the next start, if need be; but a full disk keeps no daemon from starting. */
  #note(id: Id, write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#logger.warn('a lost row could not be noted', {
        ...{ collection: this.#collection, id },
        error: errorMessage(error),
      });
    }
  }
}

const notesOf = (collection: string): string => `lost_${collection}`;

/** The notes about a collection. Open them before a transaction: a collection that is new would be undone with it. */
export const lostRowsIn = (metadata: MetadataStore, collection: string): Collection<LostRow> =>
  metadata.collection(notesOf(collection), decodeLostRow);

function decodeLostRow(stored: unknown): LostRow {
  if (typeof stored !== 'object' || stored === null || !('reason' in stored))
    throw dataLoss('the note of a lost row has no reason');
  return { reason: String(stored.reason) };
}
