import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errnoCode } from '#base';

/** One file of a spool. */
export interface SpoolFile {
  readonly path: string;
  /** 0 is the one being written; higher numbers are older. */
  readonly number: number;
  readonly isCompressed: boolean;
}

const SUFFIX = /^\.([1-9]\d*)(\.gz)?$/;

/**
 * The files of the spool at `path`, newest first: `log`, `log.1`, `log.2.gz`. Of a file that is there both plain and
 * compressed (compression has just ended, or never did) only the plain one.
 */
export async function listSpool(path: string): Promise<SpoolFile[]> {
  const directory = dirname(path);
  const base = basename(path);
  const files = new Map<number, SpoolFile>();
  for (const name of await namesIn(directory)) {
    if (!name.startsWith(base)) continue;
    const match = name === base ? undefined : SUFFIX.exec(name.slice(base.length));
    if (match === null) continue;
    const file = {
      path: join(directory, name),
      number: Number(match?.[1] ?? 0),
      isCompressed: match?.[2] !== undefined,
    };
    if (!file.isCompressed || !files.has(file.number)) files.set(file.number, file);
  }
  return [...files.values()].sort((a, b) => a.number - b.number);
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** The name of a file after `number` rotations. */
export const spoolFileName = (path: string, number: number, isCompressed: boolean): string =>
  `${number === 0 ? path : `${path}.${number}`}${isCompressed ? '.gz' : ''}`;

/** Bytes on disk of all files. */
export async function spoolDiskBytes(path: string): Promise<number> {
  const sizes = await Promise.all((await listSpool(path)).map((file) => fileBytes(file.path)));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function fileBytes(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}
