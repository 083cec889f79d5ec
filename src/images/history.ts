import { type Digest, familiarReference } from '#oci';
import type { CatalogEntry, ImageCatalog } from './catalog.ts';
import { tooManyHistoryLayers } from './errors.ts';
import type { ImageHistoryEntry } from './types.ts';

/**
 * The history of a config, newest first. The newest entry carries the image's ID and tags, older ones those of
 * the parents that are here; the rest is `<missing>`.
 */
export function imageHistory(catalog: ImageCatalog, entry: CatalogEntry): ImageHistoryEntry[] {
  const sizes = [...entry.layerSizes];
  const oldestFirst = (entry.config.history ?? []).map((step) => {
    const size = step.empty_layer === true ? 0 : sizes.shift();
    if (size === undefined) throw tooManyHistoryLayers();
    const { created_by: createdBy = '', comment = '' } = step;
    return { createdS: seconds(step.created), createdBy, comment, sizeBytes: size };
  });
  const lineage = ancestry(catalog, entry);
  return oldestFirst.reverse().map((step, index) => {
    const id = lineage[index];
    const tags = id === undefined ? [] : tagsOf(catalog, id);
    return { id: id ?? '<missing>', tags, ...step };
  });
}

function ancestry(catalog: ImageCatalog, entry: CatalogEntry): Digest[] {
  const ids = new Set<Digest>([entry.id]);
  for (let parent = entry.document.parent; parent !== undefined && !ids.has(parent); ) {
    ids.add(parent);
    parent = catalog.get(parent)?.document.parent;
  }
  return [...ids];
}

function tagsOf(catalog: ImageCatalog, id: Digest): string[] {
  return catalog
    .referencesOf(id)
    .filter(({ digest }) => digest === undefined)
    .map(familiarReference);
}

/** Whole seconds since the epoch, as Go's Unix() gives them; 0 when unknown. */
function seconds(created: string | undefined): number {
  const ms = created === undefined ? 0 : Date.parse(created);
  return Number.isNaN(ms) ? 0 : Math.floor(ms / 1000);
}
