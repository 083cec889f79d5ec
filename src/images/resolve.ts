import { type Digest, familiarName, isDigest, parseReference, type Reference, withDefaultTag } from '#oci';
import type { CatalogEntry, ImageCatalog } from './catalog.ts';
import { ambiguousId, ambiguousTag, noSuchImage, tagWithDigest } from './errors.ts';

const FULL_ID = /^[0-9a-f]{64}$/;

/**
 * Finds an image as docker does: a full ID first, then a reference, then an ID prefix. A prefix of several IDs
 * names none of them.
 * @throws `not_found` (`No such image: X`), `invalid_argument` for what cannot be a reference.
 */
export function resolveImage(catalog: ImageCatalog, name: string): CatalogEntry {
  const id = asFullId(name);
  if (id !== undefined) {
    const entry = catalog.get(id);
    if (entry === undefined) throw noSuchImage(id);
    return entry;
  }
  const reference = withDefaultTag(parseReference(name));
  const matches = catalog.find(reference) ?? searchById(catalog, name);
  if (matches === undefined || Array.isArray(matches)) throw noSuchImage(reference);
  return matches;
}

/** {@link resolveImage}, or undefined where nothing has that name. */
export function tryResolveImage(catalog: ImageCatalog, name: string): CatalogEntry | undefined {
  try {
    return resolveImage(catalog, name);
  } catch {
    return undefined;
  }
}

function asFullId(name: string): Digest | undefined {
  const id = FULL_ID.test(name) ? `sha256:${name}` : name;
  return isDigest(id) ? id : undefined;
}

/** One entry, all of several, or undefined. */
function searchById(catalog: ImageCatalog, name: string): CatalogEntry | CatalogEntry[] | undefined {
  const prefix = name.startsWith('sha256:') ? name : `sha256:${name}`;
  if (!/^sha256:[0-9a-f]+$/.test(prefix)) return undefined;
  const found = catalog.entries().filter(({ id }) => id.startsWith(prefix));
  return found.length > 1 ? found : found[0];
}

/** The image whose ID starts with `name`. @throws `invalid_argument` (`ambiguous digest string`) for several. */
export function findById(catalog: ImageCatalog, name: string): CatalogEntry | undefined {
  const found = searchById(catalog, name);
  if (Array.isArray(found)) throw ambiguousId();
  return found;
}

/** Whether docker takes `name` for an ID (or the start of one) of this image, and so removes it as a whole. */
export function isIdOf(id: Digest, name: string): boolean {
  return id.startsWith(name) || id.slice('sha256:'.length).startsWith(name);
}

/** A name for an image: `latest` when it has no tag. @throws `invalid_argument` for what can be no tag. */
export function parseTarget(name: string): Reference {
  const reference = withDefaultTag(parseReference(name));
  if (reference.digest !== undefined) throw tagWithDigest();
  if (familiarName(reference) === 'sha256') throw ambiguousTag();
  return reference;
}
