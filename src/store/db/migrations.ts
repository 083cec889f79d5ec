import type { Database } from 'bun:sqlite';
import { unavailable } from '#base';

/** Steps from one schema version to the next; the index plus one is the version. Never change a released one. */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE quarantine (
     collection TEXT NOT NULL,
     key TEXT NOT NULL,
     value TEXT NOT NULL,
     reason TEXT NOT NULL,
     at TEXT NOT NULL
   )`,
];

/** Brings the schema up to date. @throws `unavailable` when the file is from a newer version. */
export function migrate(database: Database): void {
  const version =
    database.query<{ user_version: number }, []>('PRAGMA user_version').get()?.user_version ?? 0;
  if (version > MIGRATIONS.length)
    throw unavailable(`metadata database has version ${version}, this program knows ${MIGRATIONS.length}`);
  for (const [index, statement] of MIGRATIONS.entries()) {
    if (index < version) continue;
    database.transaction(() => {
      database.run(statement);
      database.run(`PRAGMA user_version = ${index + 1}`);
    })();
  }
}

const COLLECTION_NAME = /^[a-z][a-z0-9_]*$/;
const TABLE_PREFIX = 'collection_';

/** The table of a collection. The name goes into SQL text, hence the narrow alphabet. */
export function tableOf(collection: string): string {
  if (!COLLECTION_NAME.test(collection)) throw new RangeError(`bad collection name '${collection}'`);
  return `${TABLE_PREFIX}${collection}`;
}

export const isCollectionTable = (table: string): boolean =>
  table.startsWith(TABLE_PREFIX) && COLLECTION_NAME.test(table.slice(TABLE_PREFIX.length));

/** Makes a collection's table. `checksum` is the CRC-32 of `value`, so that flipped bits are noticed. */
export function createTable(database: Database, table: string): void {
  database.run(
    `CREATE TABLE IF NOT EXISTS ${table} (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL, checksum INTEGER NOT NULL)`,
  );
}
