import { listSpool, spoolFileName } from './files.ts';
import { type OpenSpoolFile, openSpoolFile } from './open.ts';

export interface ScannedFile {
  readonly number: number;
  /** The receiver disposes it. */
  readonly opened: OpenSpoolFile;
}

/**
 * Opens the files of a spool, newest first, while rotation may be going on.
 *
 * Rotation only ever gives files higher numbers, and a compressed file appears before the plain one goes. So by trying
 * number after number, plain before compressed, no file is passed over; a file may come twice, and one that has just
 * been begun may come after older ones.
 */
export async function* scanSpool(path: string): AsyncGenerator<ScannedFile> {
  let last = await lastNumber(path);
  for (let number = 0; number <= last; number += 1) {
    const opened =
      (await openSpoolFile({ path: spoolFileName(path, number, false), isCompressed: false })) ??
      (await openSpoolFile({ path: spoolFileName(path, number, true), isCompressed: true }));
    if (opened) yield { number, opened };
    if (number === last) last = await lastNumber(path);
  }
}

const lastNumber = async (path: string): Promise<number> => (await listSpool(path)).at(-1)?.number ?? -1;
