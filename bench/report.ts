import type { Measurement } from './measurement.ts';
import type { Summary } from './statistics.ts';

export interface Row {
  readonly measurement: Measurement;
  readonly ours: Summary;
  /** Undefined where no reference engine ran. */
  readonly reference: Summary | undefined;
}

/** Ours to the reference's median; undefined without a reference. */
export const ratio = ({ ours, reference }: Row): number | undefined =>
  reference === undefined ? undefined : ours.median / reference.median;

/** Whether the row keeps its budget; undefined without a reference. */
export function isWithinBudget(row: Row): boolean | undefined {
  const value = ratio(row);
  if (value === undefined) return undefined;
  return row.measurement.better === 'lower'
    ? value <= row.measurement.budget
    : value >= row.measurement.budget;
}

/** The report as a Markdown table. */
export function formatTable(rows: readonly Row[]): string {
  const head = [
    'measurement',
    'unit',
    'ours p50',
    'ours p90',
    'reference p50',
    'reference p90',
    'ratio',
    'budget',
    'kept',
  ];
  const lines = [head, head.map(() => '---'), ...rows.map(formatRow)];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function formatRow(row: Row): string[] {
  const { measurement, ours, reference } = row;
  const sign = measurement.better === 'lower' ? '≤' : '≥';
  const kept = isWithinBudget(row);
  return [
    measurement.name,
    measurement.unit,
    number(ours.median),
    number(ours.p90),
    reference ? number(reference.median) : '-',
    reference ? number(reference.p90) : '-',
    ratio(row)?.toFixed(3) ?? '-',
    `${sign} ${measurement.budget}`,
    kept === undefined ? '-' : kept ? 'yes' : 'no',
  ];
}

const number = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toFixed(1));

/** The report for programs. */
export function toJson(rows: readonly Row[]): object {
  return rows.map((row) => ({
    name: row.measurement.name,
    unit: row.measurement.unit,
    better: row.measurement.better,
    budget: row.measurement.budget,
    ours: row.ours,
    reference: row.reference,
    ratio: ratio(row),
    withinBudget: isWithinBudget(row),
  }));
}
