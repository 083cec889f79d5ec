import { type GantryError, invalidArgument } from '../errdefs.ts';

/** An archive that is broken or not one. */
export const brokenArchive = (reason: string): GantryError =>
  invalidArgument(`invalid tar archive: ${reason}`);
