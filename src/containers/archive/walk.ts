import { errnoCode } from '#base';
import { S_IFDIR, S_IFLNK, S_IFMT, SysError } from '#sys';
import type { Place } from './tree.ts';

/** Symbolic links on one way, as in the kernel (path_resolution(7)). */
const MAX_LINKS = 40;

export interface WalkOptions {
  /** Follow a symbolic link at the end. */
  readonly followLast: boolean;
  /** What to do where nothing is: keep the rest of the path as it stands, or throw ENOENT. */
  readonly missing: 'keep' | 'throw';
}

/**
 * Resolves symbolic links by hand, with `/` of the container as the root: for trees of several mounts, and to name where
 * a link leads. `placeOf` finds a path that has no link in it. The result is a name, not a permit: whoever uses it goes
 * through the {@link Place} again, which never leads out.
 * @throws SysError ENOENT, ENOTDIR, ELOOP.
 */
export function walk(placeOf: (path: string) => Place, path: string, options: WalkOptions): string {
  const pending = components(path).reverse();
  const done: string[] = [];
  let links = 0;
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (name === '..') {
      done.pop();
      continue;
    }
    done.push(name);
    if (pending.length === 0 && !options.followLast) break;
    const target = linkTarget(placeOf, done, pending.length === 0, options);
    if (target === undefined) continue;
    links += 1;
    if (links > MAX_LINKS) throw new SysError('ELOOP', 'walk', `path ${JSON.stringify(path)}`);
    done.pop();
    if (target.startsWith('/')) done.length = 0;
    pending.push(...components(target).reverse());
  }
  return `/${done.join('/')}`;
}

function linkTarget(
  placeOf: (path: string) => Place,
  done: readonly string[],
  isLast: boolean,
  { missing }: WalkOptions,
): string | undefined {
  const path = `/${done.join('/')}`;
  const place = placeOf(path);
  const type = (place.root.stat(place.path)?.mode ?? 0) & S_IFMT;
  if (type === S_IFLNK) return readlink(place);
  if (missing === 'throw' && type === 0) throw new SysError('ENOENT', 'walk', `path ${JSON.stringify(path)}`);
  if (missing === 'throw' && !isLast && type !== S_IFDIR)
    throw new SysError('ENOTDIR', 'walk', `path ${JSON.stringify(path)}`);
  return undefined;
}

/** Undefined when it is a link no more. */
function readlink({ root, path }: Place): string | undefined {
  try {
    return root.readlink(path);
  } catch (error) {
    if (errnoCode(error) === 'EINVAL') return undefined;
    throw error;
  }
}

const components = (path: string): string[] =>
  path.split('/').filter((component) => component !== '' && component !== '.');
