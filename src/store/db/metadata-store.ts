import type { Database } from 'bun:sqlite';
import { errorMessage, GantryError, internal, type Logger } from '#base';
import type { Collection, Durability, MetadataStore, WriteOptions } from '../types.ts';
import { createTable, tableOf } from './migrations.ts';
import { openDatabase } from './open.ts';

export interface MetadataStoreOptions {
  /** The database file; its directory is made when missing. `:memory:` is not supported, see the testing door. */
  readonly path: string;
  readonly logger: Logger;
}

/**
 * Opens the metadata database: SQLite in WAL mode, every commit synced. A damaged file never stops the
 * daemon: it is set aside and what can be read is carried over.
 * @throws `unavailable` when the file is locked, unreadable or from a newer version.
 */
export function openMetadataStore({ path, logger }: MetadataStoreOptions): MetadataStore {
  const { database, isRebuilt } = openDatabase(path, logger);
  return new SqliteMetadataStore(database, isRebuilt, logger);
}

interface Row {
  readonly key: string;
  readonly value: string;
  readonly checksum: number;
}

class SqliteMetadataStore implements MetadataStore {
  readonly isRebuilt: boolean;
  readonly quarantined: { collection: string; key: string; reason: string }[] = [];
  readonly #database: Database;
  readonly #logger: Logger;
  /** How the database commits now. */
  #durability: Durability = 'synced';

  constructor(database: Database, isRebuilt: boolean, logger: Logger) {
    this.#database = database;
    this.isRebuilt = isRebuilt;
    this.#logger = logger;
  }

  collection<T>(name: string, decode: (stored: unknown) => T): Collection<T> {
    const table = tableOf(name);
    createTable(this.#database, table);
    const database = this.#database;
    const one = database.query<Row, [string]>(`SELECT key, value, checksum FROM ${table} WHERE key = ?`);
    const all = database.query<Row, []>(`SELECT key, value, checksum FROM ${table} ORDER BY key`);
    const upsert = database.query<unknown, [string, string, number]>(
      `INSERT INTO ${table} (key, value, checksum) VALUES (?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET value = excluded.value, checksum = excluded.checksum`,
    );
    const remove = database.query<unknown, [string]>(`DELETE FROM ${table} WHERE key = ?`);
    const read = (row: Row): { readonly value: T } | undefined => {
      try {
        return { value: decodeRow(row, decode) };
      } catch (error) {
        this.#quarantine(name, table, row, errorMessage(error));
        return undefined;
      }
    };
    return {
      get(key) {
        const row = one.get(key);
        return row === null ? undefined : read(row)?.value;
      },
      put: (key, value, options) => {
        const text = JSON.stringify(value);
        if (text === undefined) throw internal(`store '${name}/${key}': not a JSON value`);
        this.#write(`store '${name}/${key}'`, options, () => upsert.run(key, text, Bun.hash.crc32(text)));
      },
      delete: (key, options) =>
        this.#write(`delete '${name}/${key}'`, options, () => remove.run(key).changes > 0),
      entries: () =>
        all.all().flatMap((row): [string, T][] => {
          const found = read(row);
          return found ? [[row.key, found.value]] : [];
        }),
    };
  }

  #write<T>(action: string, { durability = 'synced' }: WriteOptions = {}, write: () => T): T {
    return writing(action, () => {
      // Within a transaction its commit counts, and SQLite refuses the change.
      if (!this.#database.inTransaction) this.#commitAs(durability);
      return write();
    });
  }

  /** In WAL mode NORMAL leaves out the fsync of a commit and nothing else: checkpoints and resets of the log still sync. */
  #commitAs(durability: Durability): void {
    if (durability === this.#durability) return;
    this.#database.run(`PRAGMA synchronous = ${durability === 'synced' ? 'FULL' : 'NORMAL'}`);
    this.#durability = durability;
  }

  transaction<T>(action: () => T): T {
    if (!this.#database.inTransaction) this.#commitAs('synced');
    return this.#database.transaction(() => {
      const result = action();
      // Its writes would come after the commit.
      if (result instanceof Promise) throw internal('a metadata transaction cannot wait for a promise');
      return result;
    })();
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  #quarantine(collection: string, table: string, row: Row, reason: string): void {
    const { key } = row;
    const isKnown = this.quarantined.some((other) => other.collection === collection && other.key === key);
    if (!isKnown) this.quarantined.push({ collection, key, reason });
    try {
      this.transaction(() => {
        this.#database.run(
          'INSERT INTO quarantine (collection, key, value, reason, at) VALUES (?, ?, ?, ?, ?)',
          [collection, key, row.value, reason, new Date().toISOString()],
        );
        this.#database.run(`DELETE FROM ${table} WHERE key = ?`, [key]);
      });
      this.#logger.error('stored document cannot be read and has been put aside', {
        collection,
        key,
        reason,
      });
    } catch (error) {
      // It stays where it is and is found again: one more document that cannot be read must not stop a start.
      const failure = errorMessage(error);
      this.#logger.error('stored document cannot be read, nor put aside', {
        collection,
        key,
        reason,
        failure,
      });
    }
  }
}

function decodeRow<T>(row: Row, decode: (stored: unknown) => T): T {
  if (Bun.hash.crc32(row.value) !== row.checksum) throw new Error('checksum does not match');
  return decode(JSON.parse(row.value));
}

/** A failed write is the machine's fault: no space, read-only, locked by somebody else. */
function writing<T>(action: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    throw new GantryError('unavailable', `${action}: ${errorMessage(error)}`, { cause: error });
  }
}
