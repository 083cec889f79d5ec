import { constants, type Database } from 'bun:sqlite';
import { statSync } from 'node:fs';

/** Room that the database and its log each keep on the disk beyond what they hold. */
const RESERVE_BYTES = 1024 * 1024;
/** Pages of 4 KiB after which the log is used from its start again: half of its reserve. */
const CHECKPOINT_PAGES = 128;

/**
 * Takes room on the disk in advance, so that small changes can still be written when the disk is full: the end of a
 * container, and above all the removals that make room again. The log is kept across a clean stop for the same reason.
 * Without room for the reserve there is none; nothing else changes.
 */
export function keepReserve(database: Database, path: string): void {
  database.run(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  database.fileControl(constants.SQLITE_FCNTL_PERSIST_WAL, 1);
  if (freeBytes(database) >= RESERVE_BYTES / 2 && logBytes(path) >= RESERVE_BYTES) return;
  try {
    database.run('DROP TABLE IF EXISTS reserve');
    // Two transactions: pages that are freed in the one that made them are never written.
    database.transaction(() => {
      database.run('CREATE TABLE reserve (room BLOB)');
      database.run('INSERT INTO reserve VALUES (zeroblob(?))', [RESERVE_BYTES]);
    })();
    database.run('DROP TABLE reserve');
    database.run('PRAGMA wal_checkpoint(RESTART)');
  } catch {
    giveBack(database);
  }
}

/** What the attempt left in the log. On a disk that is full to the last byte the log itself may not fit into the file: it stays then. */
function giveBack(database: Database): void {
  try {
    database.run('PRAGMA wal_checkpoint(TRUNCATE)');
  } catch {
    // All that was written can be read from the log; a later checkpoint takes it.
  }
}

function freeBytes(database: Database): number {
  const pages = database.query<{ freelist_count: number }, []>('PRAGMA freelist_count').get();
  const size = database.query<{ page_size: number }, []>('PRAGMA page_size').get();
  return (pages?.freelist_count ?? 0) * (size?.page_size ?? 0);
}

const logBytes = (path: string): number => statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
