import type { IdMapping } from '#oci';
import { ownerUnmapped } from './errors.ts';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** The user namespace of a container; undefined or empty: none. */
export interface OwnerMappings {
  readonly uids?: readonly IdMapping[];
  readonly gids?: readonly IdMapping[];
}

/** What `nobody` is where an ID has no counterpart. Source: /proc/sys/kernel/overflowuid. */
const OVERFLOW_ID = 65534;

/** IDs as the container sees them, as they are on disk. @throws `invalid_argument` for one outside of the mapping. */
export function toHost({ uid, gid }: Owner, { uids, gids }: OwnerMappings): Owner {
  return { uid: mapped(uid, uids), gid: mapped(gid, gids) };
}

/** IDs on disk as the container sees them; one outside of the mapping is `nobody`, as the kernel shows it. */
export function toContainer({ uid, gid }: Owner, { uids, gids }: OwnerMappings): Owner {
  return { uid: unmapped(uid, uids), gid: unmapped(gid, gids) };
}

function mapped(id: number, mappings: readonly IdMapping[] | undefined): number {
  if (!mappings?.length) return id;
  const range = mappings.find(({ containerID, size }) => id >= containerID && id < containerID + size);
  if (!range) throw ownerUnmapped(id);
  return id - range.containerID + range.hostID;
}

function unmapped(id: number, mappings: readonly IdMapping[] | undefined): number {
  if (!mappings?.length) return id;
  const range = mappings.find(({ hostID, size }) => id >= hostID && id < hostID + size);
  return range ? id - range.hostID + range.containerID : OVERFLOW_ID;
}
