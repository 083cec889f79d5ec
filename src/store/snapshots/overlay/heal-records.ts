import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { errorMessage, type Logger, setAside } from '#base';
import type { Collection } from '../../types.ts';
import { filesOf, type Layout, readRecord, recordOf } from './layout.ts';
import { decodeLayer, decodeSnapshot, type LayerRecord, type SnapshotRecord } from './records.ts';

export interface HealRecordsOptions {
  readonly layout: Layout;
  readonly layers: Collection<LayerRecord>;
  readonly snapshots: Collection<SnapshotRecord>;
  readonly logger: Logger;
}

/**
 * Writes the records beside layers and container trees again where they are missing or damaged. Nobody needs them until the
 * database is lost, and then it is too late to find out. Damaged ones are set aside. What
 * cannot be written (a full disk) is reported and left for the next start.
 */
export function healRecords({ layout, layers, snapshots, logger }: HealRecordsOptions): void {
  for (const [, record] of layers.entries()) {
    const dir = layout.layer(record.chainId);
    if (existsSync(filesOf(dir)) && readRecord(dir, decodeLayer)?.chainId !== record.chainId)
      heal(dir, record, logger);
  }
  for (const [, record] of snapshots.entries()) {
    const { dir } = layout.snapshot(record.key);
    if (existsSync(dir) && readRecord(dir, decodeSnapshot)?.key !== record.key) heal(dir, record, logger);
  }
}

function heal(dir: string, record: LayerRecord | SnapshotRecord, logger: Logger): void {
  const file = recordOf(dir);
  const fresh = `${file}.new`;
  try {
    writeFileSync(fresh, JSON.stringify(record), { mode: 0o600, flush: true });
    const aside = existsSync(file) ? setAside(file) : undefined;
    renameSync(fresh, file);
    logger.warn('a damaged record was written again from the database', { file, aside });
  } catch (error) {
    logger.error('a damaged record cannot be written again now', { file, error: errorMessage(error) });
  }
}
