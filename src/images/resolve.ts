import type { GantryError } from '#base';
import { type Digest, familiarName, isDigest, parseReference, type Reference, withDefaultTag } from '#oci';
import type { CatalogEntry, ImageCatalog } from './catalog.ts';
import { ambiguousId, ambiguousTag, noSuchImage, tagWithDigest } from './errors.ts';

const FULL_ID = /^[0-9a-f]{64}$/;

/**
 * Finds an image as docker does: a full ID first, then a reference, then an ID prefix. A prefix of several IDs
 * names none of them. An image out of reach is not there.
 * @throws `not_found` (`No such image: X`), `invalid_argument` for what cannot be a reference.
 */
export function resolveImage(catalog: ImageCatalog, name: string): CatalogEntry {
  const entry = catalog.get(resolveId(catalog, name));
  if (entry === undefined) throw nothingNamed(name);
  return entry;
}

/** {@link resolveImage}, also of an image that is out of reach. */
export function resolveId(catalog: ImageCatalog, name: string): Digest {
  const id = asFullId(name);
  if (id !== undefined) {
    if (!catalog.has(id)) throw nothingNamed(name);
    return id;
  }
  const named = catalog.idOf(withDefaultTag(parseReference(name)));
  const [found, another] = named === undefined ? idsFrom(name, catalog.ids()) : [named];
  if (found === undefined || another !== undefined) throw nothingNamed(name);
  return found;
}

const nothingNamed = (name: string): GantryError =>
  noSuchImage(asFullId(name) ?? withDefaultTag(parseReference(name)));

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

/** Those that begin with `name`. */
function idsFrom(name: string, ids: readonly Digest[]): Digest[] {
  const prefix = name.startsWith('sha256:') ? name : `sha256:${name}`;
  return /^sha256:[0-9a-f]+$/.test(prefix) ? ids.filter((id) => id.startsWith(prefix)) : [];
}

/** The image whose ID starts with `name`. @throws `invalid_argument` (`ambiguous digest string`) for several. */
export function findById(catalog: ImageCatalog, name: string): CatalogEntry | undefined {
  const [found, another] = idsFrom(name, catalog.ids());
  if (another !== undefined) throw ambiguousId();
  return found === undefined ? undefined : catalog.get(found);
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
