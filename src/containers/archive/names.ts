import { posix } from 'node:path';
import { nameLeadsOut } from './errors.ts';

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
  const trimmed = path.replace(/\/+$/, '');
  return trimmed === '' ? '/' : trimmed.slice(trimmed.lastIndexOf('/') + 1);
}

/**
 * A member's name relative to the directory it is extracted into; '' is that directory itself.
 * @throws `invalid_argument` for one that climbs out.
 */
export function memberPath(name: string): string {
  const path = withoutTrailingSlash(posix.normalize(name.replace(/^\/+/, '')));
  if (path === '..' || path.startsWith('../')) throw nameLeadsOut(name);
  return path === '.' || path === '/' ? '' : path;
}

/** `path` below absolute `directory`. */
export const below = (directory: string, path: string): string =>
  directory === '/' ? `/${path}` : `${directory}/${path}`;

/** Whether absolute `path` is `ancestor` or below it. */
export const isWithin = (path: string, ancestor: string): boolean =>
  ancestor === '/' || path === ancestor || path.startsWith(`${ancestor}/`);

const withoutTrailingSlash = (path: string): string => (path.length > 1 ? path.replace(/\/+$/, '') : path);
