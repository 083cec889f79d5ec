import type { Filters } from '#api';
import { parseDurationNs } from '#base';
import { badUntil, severalUntil } from '../errors.ts';

/**
 * Checks the filter `until` where nothing is old enough to be pruned: one Unix time, date or duration.
 * @throws `invalid_argument` with docker's texts.
 */
export function checkUntil(filters: Filters): void {
  const [text, ...more] = filters['until'] ?? [];
  if (more.length > 0) throw severalUntil();
  if (text !== undefined && !isTime(text)) throw badUntil(text);
}

const isTime = (text: string): boolean =>
  /^\d+(\.\d+)?$/.test(text) || isDuration(text) || !Number.isNaN(Date.parse(text));

export function isDuration(text: string): boolean {
  try {
    parseDurationNs(text);
    return true;
  } catch {
    return false;
  }
}
