import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { addTotals, failure, formatTotals, NO_TESTS, parseJunitTotals, type Totals } from './junit.ts';

/** One process of a test run. */
export interface Group {
  readonly name: string;
  readonly command: readonly string[];
  /** True: the command writes a JUnit report to the path appended to it. */
  readonly reports: boolean;
  /** A run-away test (an endless synchronous loop ignores Bun's own timeout) ends here. */
  readonly limitS: number;
}

/** The command that runs the tests of a path with the pinned Bun. */
export const bunTest = (...args: string[]): string[] => ['node_modules/.bin/bun', 'test', ...args];

/**
 * Runs one group, its output passed on, and counts. Counting comes from the JUnit report, because a test that calls
 * process.exit ends a serial run with status 0 and no summary; a group without a complete report counts as one failure.
 * `scratch` is a directory for the reports.
 */
export async function runGroup(group: Group, scratch: string): Promise<Totals> {
  const started = performance.now();
  console.log(`==> ${group.name}`);
  const report = join(scratch, `${group.name.replaceAll(/[ /]/g, '-')}.xml`);
  const extra = group.reports ? ['--reporter=junit', `--reporter-outfile=${report}`] : [];
  const child = Bun.spawn(['timeout', '--kill-after=10', String(group.limitS), ...group.command, ...extra], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const status = await child.exited;
  const totals = group.reports
    ? readReport(group, report, status)
    : status === 0
      ? { ...NO_TESTS, passed: 1 }
      : failure(`${group.name}: status ${status}`);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`==> ${group.name}: ${formatTotals(totals)} (${seconds} s)`);
  return totals;
}

function readReport(group: Group, path: string, status: number): Totals {
  const totals = parseJunitTotals(attemptRead(path));
  if (!totals) return failure(`${group.name}: ended with status ${status} and without a complete report`);
  // A failure outside any test (a file that does not load, a timeout) fails the run without a failed test.
  return status !== 0 && totals.failed === 0
    ? addTotals(totals, failure(`${group.name}: status ${status} without a failed test`))
    : totals;
}

function attemptRead(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Ends a run: every failure again, because the end is what is read first, then the totals. The run's exit code. */
export function conclude(totals: Totals): number {
  for (const line of totals.failures) console.log(`==> failed: ${line}`);
  console.log(formatTotals(totals));
  return totals.failed > 0 || totals.passed === 0 ? 1 : 0;
}
