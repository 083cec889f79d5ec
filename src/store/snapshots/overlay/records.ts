import { internal } from '#base';
import { type Digest, type IdMappings, isDigest, isIdMappings } from '#oci';

/** A committed layer: its row in the metadata store, and beside its files for a rebuilt database. */
export interface LayerRecord {
  readonly chainId: Digest;
  readonly parent?: Digest;
  readonly diffId: Digest;
  readonly sizeBytes: number;
  readonly hasOpaqueRoot: boolean;
}

/** A container's writable tree. */
export interface SnapshotRecord {
  readonly key: string;
  readonly parent?: Digest;
  /** Of its user namespace. */
  readonly mappings?: IdMappings;
  /** SELinux label of what is in it. */
  readonly label?: string;
}

/** @throws `internal` when `stored` is not one. */
export function decodeLayer(stored: unknown): LayerRecord {
  const { chainId, parent, diffId, sizeBytes, hasOpaqueRoot } = fields(stored);
  if (typeof sizeBytes !== 'number' || !Number.isSafeInteger(sizeBytes) || sizeBytes < 0)
    throw internal('layer record without a size');
  return {
    chainId: digest(chainId),
    diffId: digest(diffId),
    sizeBytes,
    hasOpaqueRoot: hasOpaqueRoot === true,
    ...(parent === undefined ? {} : { parent: digest(parent) }),
  };
}

/** @throws `internal` when `stored` is not one. */
export function decodeSnapshot(stored: unknown): SnapshotRecord {
  const { key, parent, mappings, label } = fields(stored);
  if (typeof key !== 'string' || !isSnapshotKey(key)) throw internal('snapshot record without a key');
  if (mappings !== undefined && !isIdMappings(mappings))
    throw internal('snapshot record with broken mappings');
  return {
    key,
    ...(parent === undefined ? {} : { parent: digest(parent) }),
    ...(mappings === undefined ? {} : { mappings }),
    ...(typeof label === 'string' ? { label } : {}),
  };
}

const SNAPSHOT_KEY = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;

/** Keys become directory names. */
export const isSnapshotKey = (key: string): boolean => SNAPSHOT_KEY.test(key);

function fields(stored: unknown): Readonly<Record<string, unknown>> {
  if (typeof stored !== 'object' || stored === null) throw internal('record is not an object');
  return stored as Readonly<Record<string, unknown>>;
}

function digest(value: unknown): Digest {
  if (typeof value !== 'string' || !isDigest(value)) throw internal('record without a digest');
  return value;
}
