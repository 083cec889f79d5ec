import { readFile, rename, writeFile } from 'node:fs/promises';
import { errnoCode, errorMessage, type Logger } from '#base';
import type { PendingLine, PendingLines } from '../joiner.ts';
import type { SpoolPosition } from './cursor.ts';

/** Up to where a spool has been delivered. */
export interface SpoolCommit {
  readonly position: SpoolPosition;
  /** Beginnings of lines that lie before the position, whose ends come after it. */
  readonly pending: PendingLines;
}

/** The form on disk. Contents are base64, because they can be any bytes. */
interface StoredPosition {
  readonly version: 1;
  readonly file: string;
  readonly offset: number;
  readonly pending: Readonly<Record<string, StoredLine>>;
}

interface StoredLine {
  readonly time: string;
  readonly content: string;
  readonly piece?: { readonly id: string; readonly ordinal: number };
}

/** Undefined when there is none, or it is damaged: delivery begins at the oldest line then. @throws when it cannot be read now. */
export async function readCommit(path: string, logger: Logger): Promise<SpoolCommit | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return decode(JSON.parse(text));
  } catch (error) {
    logger.warn('log position damaged, delivering anew', { path, error: errorMessage(error) });
    return undefined;
  }
}

/** Replaces the file in one step. A crash of the machine may bring the former one back: lines are delivered twice then. */
export async function writeCommit(path: string, { position, pending }: SpoolCommit): Promise<void> {
  const stored: StoredPosition = { version: 1, ...position, pending: encodeLines(pending) };
  await writeFile(`${path}.tmp`, JSON.stringify(stored), { mode: 0o600 });
  await rename(`${path}.tmp`, path);
}

function encodeLines(pending: PendingLines): Record<string, StoredLine> {
  const lines = Object.entries(pending).map(([stream, { time, parts, piece }]) => [
    stream,
    { time, content: Buffer.concat(parts).toString('base64'), ...(piece ? { piece } : {}) },
  ]);
  return Object.fromEntries(lines);
}

function decode(value: unknown): SpoolCommit {
  const { version, file, offset, pending } = value as Partial<StoredPosition>;
  if (
    version !== 1 ||
    typeof file !== 'string' ||
    typeof offset !== 'number' ||
    typeof pending !== 'object'
  ) {
    throw new Error('not a log position');
  }
  const lines = Object.entries(pending).map(([stream, line]) => [stream, decodeLine(line)]);
  return { position: { file, offset }, pending: Object.fromEntries(lines) };
}

function decodeLine({ time, content, piece }: StoredLine): PendingLine {
  const data = Buffer.from(content, 'base64');
  return { time: String(time), parts: [data], sizeBytes: data.length, ...(piece ? { piece } : {}) };
}
