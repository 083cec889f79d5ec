import { Database } from 'bun:sqlite';
import { createTable, isCollectionTable } from './migrations.ts';

interface Row {
  readonly key: string;
  readonly value: string;
  readonly checksum: number;
}

/**
 * Copies every row of the damaged database at `path` that can still be read into `target`.
 * Returns how many. Never throws: what cannot be read is lost.
 */
export function salvage(path: string, target: Database): number {
  let source: Database | undefined;
  try {
    source = new Database(path, { readwrite: true, create: false, strict: true });
    return tablesOf(source).reduce((sum, table) => sum + copyTable(source as Database, target, table), 0);
  } catch {
    return 0;
  } finally {
    source?.close();
  }
}

function tablesOf(source: Database): string[] {
  const rows = source
    .query<{ name: string }, []>("SELECT name FROM sqlite_schema WHERE type = 'table'")
    .all();
  return rows.map(({ name }) => name).filter(isCollectionTable);
}

function copyTable(source: Database, target: Database, table: string): number {
  createTable(target, table);
  const insert = target.query(`INSERT OR IGNORE INTO ${table} (key, value, checksum) VALUES (?, ?, ?)`);
  let copied = 0;
  target.transaction(() => {
    // A scan stops at the first damaged page; from the other end it gets at what lies behind it.
    for (const order of ['ASC', 'DESC'])
      for (const row of readableRows(source, table, order))
        copied += insert.run(row.key, row.value, row.checksum).changes;
  })();
  return copied;
}

function* readableRows(source: Database, table: string, order: string): Generator<Row> {
  try {
    const query = source.query<Row, []>(`SELECT key, value, checksum FROM ${table} ORDER BY rowid ${order}`);
    for (const row of query.iterate()) if (isWhole(row)) yield row;
  } catch {
    // The rest of this direction is unreadable.
  }
}

const isWhole = (row: Row): boolean =>
  typeof row.key === 'string' && typeof row.value === 'string' && Bun.hash.crc32(row.value) === row.checksum;
