import { renameSync } from 'node:fs';

/**
 * Moves a damaged file out of the way, so that it can be looked at later. Returns its new name, `NAME.corrupt-TIME`.
 * Whoever does this says in the log what was damaged, where it is now and what was rebuilt.
 */
export function setAside(path: string, now: Date = new Date()): string {
  const aside = `${path}.corrupt-${now.toISOString().replace(/[:.]/g, '-')}`;
  renameSync(path, aside);
  return aside;
}
