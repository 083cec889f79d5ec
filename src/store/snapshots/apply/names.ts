import { invalidArgument } from '#base';

/** What a name in a layer archive asks for. Source: OCI image-spec, layer, "Whiteouts". */
export type LayerName =
  /** An ordinary member; `path` is relative, '' for the root itself. */
  | { readonly kind: 'member'; readonly path: string }
  /** Hides `path` of the layers below. */
  | { readonly kind: 'whiteout'; readonly path: string }
  /** Hides everything the layers below have in directory `path`. */
  | { readonly kind: 'opaque'; readonly path: string }
  /** Bookkeeping of AUFS that means nothing to others. */
  | { readonly kind: 'ignored' };

export const WHITEOUT_PREFIX = '.wh.';
export const OPAQUE_NAME = '.wh..wh..opq';
const AUFS_PREFIX = '.wh..wh.';

/** @throws `invalid_argument` for a name that leads out of the layer or hides something that has no name. */
export function classifyName(name: string): LayerName {
  const path = cleanPath(name);
  const base = path.slice(path.lastIndexOf('/') + 1);
  if (!path.includes(WHITEOUT_PREFIX)) return { kind: 'member', path };
  const dir = path.slice(0, Math.max(0, path.length - base.length - 1));
  if (base === OPAQUE_NAME && !hasAufsComponent(dir)) return { kind: 'opaque', path: dir };
  if (hasAufsComponent(path)) return { kind: 'ignored' };
  if (!base.startsWith(WHITEOUT_PREFIX)) return { kind: 'member', path };
  const hidden = base.slice(WHITEOUT_PREFIX.length);
  if (hidden === '' || hidden === '.' || hidden === '..')
    throw invalidArgument(`invalid layer: whiteout of nothing: ${JSON.stringify(name)}`);
  return { kind: 'whiteout', path: dir === '' ? hidden : `${dir}/${hidden}` };
}

const hasAufsComponent = (path: string): boolean =>
  path.split('/').some((component) => component.startsWith(AUFS_PREFIX));

/** A name that cleaning would leave as it is: no empty, `.` or `..` component, no slash at either end. */
const NEEDS_CLEANING = /^\/|\/$|\/\/|(?:^|\/)\.\.?(?:\/|$)/;

/**
 * Removes slashes at both ends, empty and `.` components, and resolves `..` by name. The result is relative; '' is the root.
 * @throws `invalid_argument` when a relative name climbs out (`../x`); `/..` stays at the root.
 */
export function cleanPath(name: string): string {
  if (name.includes('\0')) throw invalidArgument('invalid layer: NUL in a name');
  if (!NEEDS_CLEANING.test(name)) return name;
  const components: string[] = [];
  for (const component of name.split('/')) {
    if (component === '' || component === '.') continue;
    if (component !== '..') components.push(component);
    else if (components.pop() === undefined && !name.startsWith('/'))
      throw invalidArgument(`invalid layer: name leads out of it: ${JSON.stringify(name)}`);
  }
  return components.join('/');
}

/** The directory part of a cleaned path, '' for the root. */
export const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));
