import { Database } from 'bun:sqlite';
import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorMessage, GantryError, type Logger, unavailable } from '#base';
import { findFileDamage, findLogDamage } from './log-check.ts';
import { migrate } from './migrations.ts';
import { keepReserve } from './reserve.ts';
import { salvage } from './salvage.ts';

/** SQLite result codes that say the file itself is damaged. Source: sqlite.org/rescode.html. */
const DAMAGE = /^SQLITE_(CORRUPT|NOTADB|FORMAT)/;
const BUSY_TIMEOUT_MS = 5000;
const FILE_MODE = 0o600;

export interface OpenedDatabase {
  readonly database: Database;
  readonly isRebuilt: boolean;
}

/**
 * Opens the database file, makes it when missing, and sets a damaged one aside as `NAME.corrupt-TIME` after
 * copying what can still be read into a new one.
 * @throws `unavailable` when the file cannot be used for another reason (locked, no space, from a newer version).
 */
export function openDatabase(path: string, logger: Logger, now: Date = new Date()): OpenedDatabase {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const existed = existsSync(path);
  try {
    // SQLite takes an empty file for a new database; ours is never empty.
    if (existed && statSync(path).size === 0) throw new DamagedError('file is empty');
    const found = findFileDamage(path);
    reportLogDamage(path, logger, now);
    const database = openChecked(path);
    if (found) logger.warn('the metadata database was damaged and set right from its log', { path, found });
    return { database, isRebuilt: !existed };
  } catch (error) {
    if (!isDamage(error)) throw asUnavailable(path, error);
    return { database: rebuild(path, error, logger, now), isRebuilt: true };
  }
}

/** SQLite goes on with what it can read of its log, and says nothing. The damaged log is kept as a copy. */
function reportLogDamage(path: string, logger: Logger, now: Date): void {
  const reason = findLogDamage(path);
  if (reason === undefined) return;
  const file = `${path}-wal`;
  const aside = `${file}.corrupt-${now.toISOString().replace(/[:.]/g, '-')}`;
  logger.error("the metadata database's log is damaged: the last changes before the end may be lost", {
    file,
    reason,
    ...(existsSync(file) ? copied(file, aside) : {}),
  });
}

/** Without room for the whole copy there is none. */
function copied(file: string, aside: string): { readonly aside: string } | { readonly notCopied: string } {
  try {
    copyFileSync(file, aside);
    return { aside };
  } catch (error) {
    rmSync(aside, { force: true });
    return { notCopied: errorMessage(error) };
  }
}

/** What the integrity check found. */
class DamagedError extends Error {
  override readonly name = 'DamagedError';
}

function openChecked(path: string): Database {
  const database = new Database(path, { create: true, strict: true });
  try {
    // It holds the environment of every container. SQLite gives its other files the same mode.
    chmodSync(path, FILE_MODE);
    database.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    database.run('PRAGMA journal_mode = WAL');
    database.run('PRAGMA synchronous = FULL');
    const found = database.query<{ integrity_check: string }, []>('PRAGMA integrity_check(1)').get();
    if (found?.integrity_check !== 'ok') throw new DamagedError(found?.integrity_check ?? 'no answer');
    migrate(database);
    keepReserve(database, path);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function rebuild(path: string, cause: unknown, logger: Logger, now: Date): Database {
  const aside = `${path}.corrupt-${now.toISOString().replace(/[:.]/g, '-')}`;
  for (const suffix of ['', '-wal', '-shm'])
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  const database = openChecked(path);
  const saved = salvage(aside, database);
  logger.error('metadata database was corrupt and has been rebuilt', {
    reason: errorMessage(cause),
    aside,
    saved,
  });
  return database;
}

function isDamage(error: unknown): boolean {
  if (error instanceof DamagedError) return true;
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && DAMAGE.test(code);
}

function asUnavailable(path: string, error: unknown): GantryError {
  if (error instanceof GantryError) return error;
  return unavailable(`open metadata database '${path}': ${errorMessage(error)}`, { cause: error });
}
