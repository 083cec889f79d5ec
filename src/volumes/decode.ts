import { dataLoss } from '#base';
import type { Volume } from './types.ts';

/** Checks a stored volume row. @throws `data_loss`; the store then sets the row aside. */
export function decodeVolume(stored: unknown): Volume {
  const row = stored as Partial<Volume> | null;
  const isVolume =
    typeof row === 'object' &&
    row !== null &&
    typeof row.name === 'string' &&
    row.driver === 'local' &&
    typeof row.mountpoint === 'string' &&
    typeof row.created === 'string' &&
    typeof row.labels === 'object' &&
    typeof row.options === 'object' &&
    typeof row.anonymous === 'boolean';
  if (!isVolume) throw dataLoss('the stored volume lacks a field');
  return row as Volume;
}
