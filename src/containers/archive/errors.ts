import {
  conflict,
  deadlineExceeded,
  errnoCode,
  errorMessage,
  forbidden,
  GantryError,
  internal,
  invalidArgument,
  notFound,
} from '#base';

/**
 * Texts that clients show or match letter by letter (docker's contract).
 * Source: moby `daemon/errors.go`, `daemon/archive_unix.go`, moby/go-archive `archive.go`. Codes as the Engine API's
 * reference states them (403 for read-only, 400 for directories).
 */
export const fileNotFound = (path: string, container: string): GantryError =>
  notFound(`Could not find the file ${path} in container ${container}`);

export const notADirectory = (path: string): GantryError => invalidArgument(`lstat ${path}: not a directory`);

export const extractionPointNotDirectory = (): GantryError =>
  invalidArgument('extraction point is not a directory');

export const rootfsReadOnly = (): GantryError => forbidden('container rootfs is marked read-only');

export const volumeReadOnly = (): GantryError => forbidden('mounted volume is marked read-only');

export const directoryInTheWay = (name: string, target: string): GantryError =>
  invalidArgument(
    `cannot overwrite directory ${JSON.stringify(name)} with non-directory ${JSON.stringify(target)}`,
  );

export const fileInTheWay = (name: string, target: string): GantryError =>
  invalidArgument(
    `cannot overwrite non-directory ${JSON.stringify(name)} with directory ${JSON.stringify(target)}`,
  );

export const mountInTheWay = (path: string): GantryError =>
  conflict(`unlinkat ${path}: device or resource busy`);

export const nameLeadsOut = (name: string): GantryError =>
  invalidArgument(`invalid archive: name leads out of it: ${JSON.stringify(name)}`);

export const hardLinkToNothing = (name: string, target: string): GantryError =>
  invalidArgument(
    `invalid archive: hard link ${JSON.stringify(name)} to a missing file ${JSON.stringify(target)}`,
  );

export const ownerUnmapped = (id: number): GantryError =>
  invalidArgument(`container ID ${id} cannot be mapped to a host ID`);

/** Ours: in docker the others wait for as long as the client likes. */
export const uploadStalled = (idleMs: number): GantryError =>
  deadlineExceeded(`the archive has not gone on for ${idleMs / 1000} s, and others wait for the container`);

/** What went wrong with `path`, as an error that may leave the room. Ours pass through. */
export function archiveError(action: string, path: string, error: unknown): unknown {
  if (error instanceof GantryError || errnoCode(error) === undefined) return error;
  const options = { cause: error };
  const message = `${action} ${path}: ${errorMessage(error)}`;
  switch (errnoCode(error)) {
    case 'EROFS':
      return volumeReadOnly();
    case 'ELOOP':
    case 'ENAMETOOLONG':
    // Below a link that leads nowhere, or taken away meanwhile.
    case 'ENOENT':
    case 'ENOTDIR':
    case 'EXDEV':
      return invalidArgument(message, options);
    case 'EBUSY':
    case 'EEXIST':
    case 'ENOTEMPTY':
      return conflict(message, options);
    default:
      return internal(message, options);
  }
}
