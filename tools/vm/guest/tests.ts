/** Runs folders of tests inside the machine, one process for each, and prints the totals as its last line. */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addTotals, NO_TESTS } from '../../junit.ts';
import { bunTest, conclude, type Group, runGroup } from '../../test-groups.ts';

/** A machine without the processor's help is many times slower: these end what hangs, they measure nothing. */
const TEST_LIMIT_MS = 300_000;
const GROUP_LIMIT_S = 3600;

/** A folder of folders (tests/e2e) is one group for each of them. */
function groups(path: string): Group[] {
  const entries = statSync(path).isDirectory() ? readdirSync(path, { withFileTypes: true }) : [];
  const hasTests = entries.length === 0 || entries.some(({ name }) => name.endsWith('.test.ts'));
  const paths = hasTests ? [path] : entries.filter((e) => e.isDirectory()).map((e) => join(path, e.name));
  return paths.sort().map((name) => ({
    name,
    command: bunTest(`--timeout=${TEST_LIMIT_MS}`, `./${name}`),
    reports: true,
    limitS: GROUP_LIMIT_S,
  }));
}

const scratch = mkdtempSync(join(tmpdir(), 'gantry-report-'));
let totals = NO_TESTS;
for (const group of process.argv.slice(2).flatMap(groups))
  totals = addTotals(totals, await runGroup(group, scratch));
rmSync(scratch, { recursive: true, force: true });
process.exit(conclude(totals));
