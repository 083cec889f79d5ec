import type { IdMapping } from './runtime-spec.ts';

/** The user namespace of a container: ranges of its IDs and what they are on the host. */
export interface IdMappings {
  readonly uids: readonly Readonly<IdMapping>[];
  readonly gids: readonly Readonly<IdMapping>[];
}

/** What an ID without a counterpart shows as. Source: /proc/sys/kernel/overflowuid. */
export const OVERFLOW_ID = 65_534;

/** The host's ID for one of the container; undefined outside of the ranges. */
export function toHostId(id: number, ranges: IdMappings['uids']): number | undefined {
  const range = ranges.find(({ containerID, size }) => id >= containerID && id < containerID + size);
  return range && id - range.containerID + range.hostID;
}

/** The container's ID for one of the host; undefined outside of the ranges. */
export function toContainerId(id: number, ranges: IdMappings['uids']): number | undefined {
  const range = ranges.find(({ hostID, size }) => id >= hostID && id < hostID + size);
  return range && id - range.hostID + range.containerID;
}

/** Who the container's root is on the host. */
export const mappedRoot = ({ uids, gids }: IdMappings): { readonly uid: number; readonly gid: number } => ({
  uid: toHostId(0, uids) ?? 0,
  gid: toHostId(0, gids) ?? 0,
});

const isRange = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (['containerID', 'hostID', 'size'] as const).every((key) =>
    Number.isSafeInteger((value as Record<string, unknown>)[key]),
  );

/** Whether a stored value is one. */
export function isIdMappings(value: unknown): value is IdMappings {
  if (typeof value !== 'object' || value === null) return false;
  const { uids, gids } = value as Record<string, unknown>;
  return [uids, gids].every((ranges) => Array.isArray(ranges) && ranges.every(isRange));
}

const CAPABILITY_REVISION = 0xff00_0000;
const CAPABILITY_V2 = 0x0200_0000;
const CAPABILITY_V3 = 0x0300_0000;
const CAPABILITY_V2_BYTES = 20;

/**
 * `security.capability` as it is inside of the user namespace: the kernel marks what is set within one by the host's ID
 * of its root (version 3); without that mark it holds in every namespace. Source: capabilities(7), File capability
 * extended attribute versioning.
 */
export function unmappedCapability(value: Uint8Array): Uint8Array {
  if (value.length <= CAPABILITY_V2_BYTES) return value;
  const copy = value.slice(0, CAPABILITY_V2_BYTES);
  const view = new DataView(copy.buffer);
  const magic = view.getUint32(0, true);
  if ((magic & CAPABILITY_REVISION) >>> 0 !== CAPABILITY_V3) return value;
  view.setUint32(0, ((magic & ~CAPABILITY_REVISION) | CAPABILITY_V2) >>> 0, true);
  return copy;
}
