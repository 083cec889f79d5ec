import { readdirSync, readFileSync } from 'node:fs';

/** Prints a figure of a reliability row, so that a run's log holds what docs/reliability.md lists. */
export function printFigure(row: string, what: string, value: string): void {
  console.log(`figure ${row}: ${what}: ${value}`);
}

/** What a process holds at a moment. */
export interface Footprint {
  readonly rssMb: number;
  readonly files: number;
  /** Children and their children, by name. */
  readonly processes: number;
}

/** Resident memory, open descriptors and descendants of a process. */
export function footprintOf(pid: number): Footprint {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const rssKb = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0);
  return {
    rssMb: Math.round((rssKb / 1024) * 10) / 10,
    files: readdirSync(`/proc/${pid}/fd`).length,
    processes: descendantsOf(pid).length,
  };
}

/** Every process below `pid`. */
export function descendantsOf(pid: number): number[] {
  const parents = new Map<number, number[]>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const parent = parentOf(name);
    if (parent !== undefined) parents.set(parent, [...(parents.get(parent) ?? []), Number(name)]);
  }
  const below = (each: number): number[] =>
    (parents.get(each) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(pid);
}

function parentOf(pid: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}

/** The value that `share` (0 to 1) of all values do not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** `p50 1.2 ms, p99 4.5 ms, max 5.0 ms of 100`. */
export const describeLatency = (values: readonly number[]): string =>
  `p50 ${quantile(values, 0.5).toFixed(1)} ms, p99 ${quantile(values, 0.99).toFixed(1)} ms, ` +
  `max ${Math.max(0, ...values).toFixed(1)} ms of ${values.length}`;
