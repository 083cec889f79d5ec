/**
 * The notations of cgroup and proc files, as pure functions. A file that is missing (undefined) counts as empty:
 * controllers are optional, and a container may end while it is read.
 */

const MAX_UNLIMITED = 'max';

/** One number; 0 for anything else. */
export function parseCount(text: string | undefined): number {
  const value = Number(text);
  return text === undefined || Number.isNaN(value) ? 0 : value;
}

/** One number or `max`, which is undefined. */
export function parseLimit(text: string | undefined): number | undefined {
  return text === undefined || text.trim() === MAX_UNLIMITED ? undefined : parseCount(text);
}

/** Numbers separated by blanks. */
export function parseCounts(text: string | undefined): number[] {
  return words(text).map(Number);
}

/** Lines of a key and a number (`memory.stat`, `cpu.stat`, …). */
export function parseKeyed(text: string | undefined): Map<string, number> {
  const found = new Map<string, number>();
  for (const line of lines(text)) {
    const blank = line.indexOf(' ');
    if (blank > 0) found.set(line.slice(0, blank), parseCount(line.slice(blank + 1)));
  }
  return found;
}

/** Those of `names` in this order; what the file lacks is 0. */
export function pick(
  values: ReadonlyMap<string, number>,
  names: readonly string[],
): Readonly<Record<string, number>> {
  return Object.fromEntries(names.map((name) => [name, values.get(name) ?? 0]));
}

export const lines = (text: string | undefined): string[] =>
  text === undefined ? [] : text.split('\n').filter((line) => line !== '');

export const words = (text: string | undefined): string[] =>
  text === undefined ? [] : text.split(/\s+/).filter((word) => word !== '');
