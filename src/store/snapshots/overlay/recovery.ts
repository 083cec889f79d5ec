import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { errorMessage, type Logger } from '#base';
import { type Digest, digestHex } from '#oci';
import type { Mounts } from '#sys';
import type { Collection, MetadataStore } from '../../types.ts';
import { healRecords } from './heal-records.ts';
import { filesOf, type Layout, readRecord } from './layout.ts';
import { decodeLayer, decodeSnapshot, type LayerRecord, type SnapshotRecord } from './records.ts';
import type { Trash } from './trash.ts';

export const LAYER_COLLECTION = 'overlay_layers';
export const SNAPSHOT_COLLECTION = 'overlay_snapshots';

export interface RecoveryOptions {
  readonly layout: Layout;
  readonly layers: Collection<LayerRecord>;
  readonly snapshots: Collection<SnapshotRecord>;
  readonly metadata: MetadataStore;
  readonly mounts: Pick<Mounts, 'list' | 'unmount'>;
  readonly trash: Trash;
  readonly logger: Logger;
  /** Makes the directories of a snapshot anew. */
  readonly makeSnapshot: (record: SnapshotRecord) => void;
}

/**
 * Brings rows and directories into agreement after a crash, at opening. Rows decide: a directory without one is
 * removed, a layer row without its directory is dropped. Only when rows themselves were lost (database rebuilt,
 * documents in quarantine) are they written again from the records beside the files.
 */
export function recover(options: RecoveryOptions): void {
  const { layout, trash } = options;
  for (const name of readdirSync(layout.staging)) trash.discard(join(layout.staging, name));
  recoverLayers(options);
  dropBrokenChains(options);
  recoverSnapshots(options);
  healRecords(options);
  trash.resume();
}

function recoverLayers(options: RecoveryOptions): void {
  const { layout, layers, trash, logger } = options;
  const known = new Set(layers.entries().map(([, { chainId }]) => digestHex(chainId)));
  const mayAdopt = lostRows(options.metadata, LAYER_COLLECTION);
  for (const name of readdirSync(layout.layers)) {
    if (known.has(name)) continue;
    const record = mayAdopt ? readRecord(join(layout.layers, name), decodeLayer) : undefined;
    if (record && digestHex(record.chainId) === name) {
      logger.warn('found a layer without its metadata and took it over', { chainId: record.chainId });
      layers.put(record.chainId, record);
    } else trash.discard(join(layout.layers, name));
  }
}

/** A layer whose files or parents are gone is of no use; without its row the next pull brings it back. */
function dropBrokenChains({ layout, layers, trash, logger }: RecoveryOptions): void {
  const records = new Map(layers.entries().map(([, record]) => [record.chainId, record]));
  const isWhole = (chainId: Digest | undefined): boolean => {
    if (chainId === undefined) return true;
    const record = records.get(chainId);
    return record !== undefined && existsSync(filesOf(layout.layer(chainId))) && isWhole(record.parent);
  };
  for (const { chainId } of records.values()) {
    if (isWhole(chainId)) continue;
    logger.error('layer is incomplete and has been dropped; pull its image again', { chainId });
    layers.delete(chainId);
    trash.discard(layout.layer(chainId));
  }
}

function recoverSnapshots(options: RecoveryOptions): void {
  const { layout, snapshots, trash, logger } = options;
  const known = new Set(snapshots.entries().map(([key]) => key));
  const mayAdopt = lostRows(options.metadata, SNAPSHOT_COLLECTION);
  for (const name of readdirSync(layout.snapshots)) {
    if (known.delete(name)) continue;
    const dir = join(layout.snapshots, name);
    const record = mayAdopt ? readRecord(dir, decodeSnapshot) : undefined;
    if (record?.key === name) {
      logger.warn('found a container tree without its metadata and took it over', { key: name });
      snapshots.put(name, record);
    } else {
      unmountBelow(options.mounts, dir);
      trash.discard(dir);
    }
  }
  for (const key of known) {
    const record = snapshots.get(key);
    if (record) remakeSnapshot(record, options);
  }
}

/** What cannot be made (a full disk) is left for the next start, as a whole: half of a tree would count as one. */
function remakeSnapshot(
  record: SnapshotRecord,
  { layout, trash, logger, makeSnapshot }: RecoveryOptions,
): void {
  const { key } = record;
  try {
    makeSnapshot(record);
    logger.warn('directories of a container tree are missing and have been made anew', { key });
  } catch (error) {
    trash.discard(layout.snapshot(key).dir);
    logger.error('directories of a container tree are missing and cannot be made now', {
      key,
      error: errorMessage(error),
    });
  }
}

const lostRows = (metadata: MetadataStore, collection: string): boolean =>
  metadata.isRebuilt || metadata.quarantined.some((document) => document.collection === collection);

function unmountBelow(mounts: RecoveryOptions['mounts'], dir: string): void {
  const below = mounts.list().filter(({ target }) => target.startsWith(`${dir}/`));
  for (const { target } of below.reverse()) mounts.unmount(target, { detach: true });
}
