import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { dataLoss, errorMessage, type Logger } from '#base';
import type { Collection, MetadataStore } from '#store';
import type { Engine } from './engine.ts';
import { containersDirectory } from './paths.ts';

/** Why a container has no row that can be read. */
export interface LostRow {
  readonly reason: string;
}

export interface LostRowsOptions {
  /** {@link lostRowsIn}. */
  readonly rows: Collection<LostRow>;
  readonly metadata: MetadataStore;
  readonly dataRoot: string;
  readonly logger: Logger;
}

const COLLECTION = 'lost_containers';
/** A container's own, or that of an image it mounts. */
const OUR_KEY = /^([0-9a-f]{64})(?:-image-\d+)?$/;

/** The container that a snapshot, a directory or a task belongs to; undefined when the key is not one of ours. */
export const ownerOf = (key: string): string | undefined => OUR_KEY.exec(key)?.[1];

/**
 * Containers whose rows were damaged, by ID. What is left of them (process, tree, files, volumes) cannot be told from what an
 * interrupted create leaves, so it is remembered here, beyond the daemon that found the damage, and never deleted. Whoever
 * wants to be rid of one deletes its directory: then the next start takes away the rest.
 */
export class LostRows {
  readonly #rows: Collection<LostRow>;
  readonly #known: Map<string, LostRow>;
  readonly #logger: Logger;

  constructor({ rows, metadata, dataRoot, logger }: LostRowsOptions) {
    this.#logger = logger;
    this.#rows = rows;
    this.#known = new Map(this.#rows.entries());
    for (const id of this.#known.keys()) {
      if (!existsSync(join(containersDirectory(dataRoot), id))) this.#forget(id);
    }
    for (const { collection, key, reason } of metadata.quarantined) {
      if ((collection === 'containers' || collection === COLLECTION) && ownerOf(key) === key)
        this.add(key, reason);
    }
  }

  add(id: string, reason: string): void {
    if (this.#known.has(id)) return;
    this.#known.set(id, { reason });
    this.#note(id, () => this.#rows.put(id, { reason }));
  }

  has(id: string): boolean {
    return this.#known.has(id);
  }

  all(): (readonly [id: string, row: LostRow])[] {
    return [...this.#known];
  }

  #forget(id: string): void {
    this.#known.delete(id);
    this.#note(id, () => this.#rows.delete(id));
  }

  /** Not for the next start, if need be; but a full disk keeps no daemon from starting. */
  #note(id: string, write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#logger.warn('a lost row could not be noted', { container: id, error: errorMessage(error) });
    }
  }
}

export const lostRowsIn = (metadata: MetadataStore): Collection<LostRow> =>
  metadata.collection(COLLECTION, decodeLostRow);

function decodeLostRow(stored: unknown): LostRow {
  if (typeof stored !== 'object' || stored === null || !('reason' in stored))
    throw dataLoss('the lost container has no reason');
  return { reason: String(stored.reason) };
}

/** A database that was made anew may lack rows: whatever has a directory or a tree may be somebody's container. */
export function addRowless({
  registry,
  lostRows,
  snapshotter,
  dataRoot,
}: Pick<Engine, 'registry' | 'lostRows' | 'snapshotter' | 'dataRoot'>): void {
  for (const key of [...readdirSync(containersDirectory(dataRoot)), ...snapshotter.snapshots()]) {
    const id = ownerOf(key);
    if (id !== undefined && !registry.byId(id)) lostRows.add(id, 'the metadata database was made anew');
  }
}

/** It cannot be known which volumes the lost ones have, alone or with others: none that is there may go. */
export function holdForLost({ lostRows, volumes }: Pick<Engine, 'lostRows' | 'volumes'>): void {
  for (const { name } of volumes.list()) for (const [id] of lostRows.all()) volumes.hold(name, id);
}
