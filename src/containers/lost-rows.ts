import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Collection, LostRows, type MetadataStore } from '#store';
import type { Engine } from './engine.ts';
import { containersDirectory } from './paths.ts';

export const CONTAINERS = 'containers';
/** A container's own, or that of an image it mounts. */
const OUR_KEY = /^([0-9a-f]{64})(?:-image-\d+)?$/;

/** The container that a snapshot, a directory or a task belongs to; undefined when the key is not one of ours. */
export const ownerOf = (key: string): string | undefined => OUR_KEY.exec(key)?.[1];

/**
 * Containers whose rows were damaged. Process, tree, files and volumes of one are never deleted. Whoever wants to be rid of
 * it deletes its directory: then the next start takes away the rest.
 */
export type LostContainers = LostRows<string>;

export const openLostContainers = (
  rows: Collection<{ readonly reason: string }>,
  { metadata, dataRoot, logger }: Pick<Engine, 'dataRoot' | 'logger'> & { readonly metadata: MetadataStore },
): LostContainers =>
  new LostRows({
    ...{ collection: CONTAINERS, rows, metadata, logger },
    isId: (key): key is string => ownerOf(key) === key,
    isGivenUp: (id) => !existsSync(join(containersDirectory(dataRoot), id)),
  });

/** A database that was made anew may lack rows: whatever has a directory or a tree may be somebody's container. */
export function addRowless({
  registry,
  lostRows,
  snapshotter,
  dataRoot,
}: Pick<Engine, 'registry' | 'lostRows' | 'snapshotter' | 'dataRoot'>): void {
  for (const key of [...readdirSync(containersDirectory(dataRoot)), ...snapshotter.snapshots()]) {
    const id = ownerOf(key);
    if (id !== undefined && !registry.byId(id)) lostRows.add(id, 'the metadata database was made anew');
  }
}

/** It cannot be known which volumes the lost ones have, alone or with others: none that is there may go. */
export function holdForLost({ lostRows, volumes }: Pick<Engine, 'lostRows' | 'volumes'>): void {
  for (const { name } of volumes.list()) for (const [id] of lostRows.all()) volumes.hold(name, id);
}
