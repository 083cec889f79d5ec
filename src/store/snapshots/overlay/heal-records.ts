import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { type Logger, setAside } from '#base';
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
 * database is lost, and then it is too late to find out. Damaged ones are set aside.
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
  const aside = existsSync(file) ? setAside(file) : undefined;
  writeFileSync(`${file}.new`, JSON.stringify(record), { mode: 0o600, flush: true });
  renameSync(`${file}.new`, file);
  logger.warn('a damaged record was written again from the database', { file, aside });
}
