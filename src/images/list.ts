import { hasLabel } from '#base';
import { parseReference, type Reference } from '#oci';
import type { CatalogEntry, ImageCatalog } from './catalog.ts';
import { referenceMatcher } from './reference-filter.ts';
import { resolveImage } from './resolve.ts';
import type { ImageFilters, StoredImage } from './types.ts';

/**
 * The images that pass every filter, newest first. Untagged images with children are steps of a build and shown
 * only with `all`.
 * @throws `not_found` for an unknown image in `before` or `since`, `invalid_argument` for a bad pattern.
 */
export function listImages(catalog: ImageCatalog, filters: ImageFilters = {}): StoredImage[] {
  const inTime = timeFilter(catalog, filters);
  const matches =
    filters.reference && filters.reference.length > 0 ? referenceMatcher(filters.reference) : undefined;
  const images: { entry: CatalogEntry; view: StoredImage }[] = [];
  for (const entry of catalog.entries()) {
    if (!inTime(entry) || !hasLabels(entry, filters)) continue;
    if (matches && !catalog.referencesOf(entry.id).some(matches)) continue;
    const view = onlyNames(catalog.view(entry), matches);
    if (isShown(catalog, view, filters)) images.push({ entry, view });
  }
  images.sort(
    (one, other) => other.entry.createdMs - one.entry.createdMs || (one.entry.id < other.entry.id ? -1 : 1),
  );
  return images.map(({ view }) => view);
}

/** A filter by name shows the names that match, not the image's others. */
function onlyNames(view: StoredImage, matches: ((reference: Reference) => boolean) | undefined): StoredImage {
  if (matches === undefined) return view;
  const isWanted = (text: string): boolean => matches(parseReference(text));
  return { ...view, tags: view.tags.filter(isWanted), digests: view.digests.filter(isWanted) };
}

function isShown(catalog: ImageCatalog, view: StoredImage, { dangling, all }: ImageFilters): boolean {
  const isNamed = view.tags.length > 0 || view.digests.length > 0;
  const isStep = catalog.childrenOf(view.id).length > 0;
  if (dangling === true) return view.tags.length === 0 && !isStep;
  if (isNamed) return true;
  return dangling === undefined && (!isStep || all === true);
}

function timeFilter(catalog: ImageCatalog, { before, since, untilMs }: ImageFilters) {
  const createdMs = (name: string): number => resolveImage(catalog, name).createdMs;
  const limits = [...several(before).map(createdMs), ...(untilMs === undefined ? [] : [untilMs])];
  const beforeMs = limits.length > 0 ? Math.min(...limits) : undefined;
  const starts = several(since).map(createdMs);
  const sinceMs = starts.length > 0 ? Math.max(...starts) : undefined;
  return (entry: CatalogEntry): boolean =>
    (beforeMs === undefined || (entry.config.created !== undefined && entry.createdMs < beforeMs)) &&
    (sinceMs === undefined || (entry.config.created !== undefined && entry.createdMs > sinceMs));
}

/** Every `label` filter matches, and none of `notLabel` does. */
export function hasLabels({ config }: CatalogEntry, { label, notLabel }: ImageFilters): boolean {
  const labels = config.config?.Labels ?? {};
  const matches = (filter: string): boolean => hasLabel(labels, filter);
  return (label ?? []).every(matches) && !(notLabel ?? []).some(matches);
}

const several = (names: string | readonly string[] | undefined): readonly string[] =>
  names === undefined ? [] : typeof names === 'string' ? [names] : names;
