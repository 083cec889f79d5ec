import { posix } from 'node:path';
import { nameLeadsOut } from './errors.ts';

const SLASH = 0x2f;

/** Whether a path as given says that it means a directory: it ends with `/` or `/.`. */
export const assertsDirectory = (path: string): boolean => path.endsWith('/') || lastComponent(path) === '.';

/**
 * Absolute and cleaned by name, keeping the meaning of a trailing `/` or `/.`.
 * Source: moby/go-archive, PreserveTrailingDotOrSeparator.
 */
export function absolutePath(path: string): string {
  const cleaned = withoutTrailingSlash(posix.normalize(`/${path}`));
  if (lastComponent(path) === '.') return cleaned === '/' ? '/.' : `${cleaned}/.`;
  return path.endsWith('/') && cleaned !== '/' ? `${cleaned}/` : cleaned;
}

/** The last component: `/` of the root, `.` of nothing. Trailing slashes do not count. Source: Go, filepath.Base. */
export function lastComponent(path: string): string {
  if (path === '') return '.';
  const trimmed = withoutTrailingSlash(path);
  return trimmed === '/' ? '/' : trimmed.slice(trimmed.lastIndexOf('/') + 1);
}

/**
 * A member's name relative to the directory it is extracted into; '' is that directory itself.
 * @throws `invalid_argument` for one that climbs out.
 */
export function memberPath(name: string): string {
  const path = withoutTrailingSlash(posix.normalize(`./${name}`));
  if (path === '..' || path.startsWith('../')) throw nameLeadsOut(name);
  return path === '.' || path === '/' ? '' : path;
}

/** `path` below absolute `directory`. */
export const below = (directory: string, path: string): string =>
  directory === '/' ? `/${path}` : `${directory}/${path}`;

/** Whether absolute `path` is `ancestor` or below it. */
export const isWithin = (path: string, ancestor: string): boolean =>
  ancestor === '/' || path === ancestor || path.startsWith(`${ancestor}/`);

/** The path of the directory itself, without the `/` or `/.` that says it is one. */
export function withoutAssertion(path: string): string {
  let result = withoutTrailingSlash(path);
  while (result.endsWith('/.')) result = withoutTrailingSlash(result.slice(0, -1));
  return result;
}

/** By hand: a regular expression takes quadratic time on a client's million slashes. */
function withoutTrailingSlash(path: string): string {
  let end = path.length;
  while (end > 1 && path.charCodeAt(end - 1) === SLASH) end -= 1;
  return path.slice(0, end);
}
