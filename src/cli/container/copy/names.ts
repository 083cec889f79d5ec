import { posix } from 'node:path';

/** One side of a copy as the user wrote it; `container` is empty for a path of this machine. */
export interface CopyArgument {
  readonly container: string;
  readonly path: string;
}

/**
 * `CONTAINER:PATH`, or a local path: absolute, without a colon, or beginning with a dot (`./a:b`).
 * Source: docker CLI, `cp`.
 */
export function splitArgument(argument: string): CopyArgument {
  const colon = argument.indexOf(':');
  if (argument.startsWith('/') || argument.startsWith('.') || colon < 0)
    return { container: '', path: argument };
  return { container: argument.slice(0, colon), path: argument.slice(colon + 1) };
}

/** Whether a path says that it means what is in a directory: it ends with `.` as a component. */
export const endsWithDot = (path: string): boolean => path === '.' || path.endsWith('/.');

/** Whether a path says that it means a directory: it ends with `/` or `/.`. */
export const assertsDirectory = (path: string): boolean => path.endsWith('/') || endsWithDot(path);

/** Absolute and cleaned, keeping the meaning of a trailing `/` or `/.`. */
export function absolute(path: string, workingDirectory: string): string {
  return keepEnding(posix.resolve(workingDirectory, path), path);
}

function keepEnding(cleaned: string, original: string): string {
  if (endsWithDot(original)) return cleaned === '/' ? '/.' : `${cleaned}/.`;
  return original.endsWith('/') && cleaned !== '/' ? `${cleaned}/` : cleaned;
}

/** Directory and last component of an absolute path; the last component of `/a/.` is `.`, that of `/` is empty. */
export function splitPath(path: string): { readonly directory: string; readonly base: string } {
  const cleaned = posix.resolve('/', path);
  if (endsWithDot(path)) return { directory: cleaned, base: '.' };
  return { directory: posix.dirname(cleaned), base: posix.basename(cleaned) };
}

/** Where a link at `path` leads by its name: relative targets begin at the link's directory. */
export const linkDestination = (path: string, target: string): string =>
  posix.resolve(splitPath(path).directory, target);

/**
 * A source whose last component is a followed link: what to read instead, and the name it keeps.
 * Source: moby/go-archive, GetRebaseName.
 */
export function followed(path: string, target: string): { readonly path: string; readonly name?: string } {
  const resolved = keepEnding(target, path);
  const name = posix.basename(path);
  return name === posix.basename(resolved) ? { path: resolved } : { path: resolved, name };
}
