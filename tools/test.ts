/**
 * Runs every test and prints `N passed, N failed[, N skipped]` as its last line; exits 1 when anything failed.
 *
 * Everything runs in a network namespace of its own, so that neither the host's firewall (a dockerd's, say) nor the
 * tests' networks meet the other.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findLeaks, type Inventory, takeInventory } from '../tests/harness/leaks.ts';
import { currentRun, endRun, newRunEnvironment, type TestRun } from '../tests/harness/test-run.ts';
import { addTotals, NO_TESTS, type Totals } from './junit.ts';
import { runInPrivateNetwork } from './private-network.ts';
import { bunTest, conclude, type Group, runGroup } from './test-groups.ts';

const BIN = 'node_modules/.bin';
const ENDING_MS = 10_000;

/** Checks only, for which this process needs nothing special. */
const isQuick = process.argv.includes('--quick');

const CHECKS: readonly Group[] = [
  { name: 'format and lint', command: [`${BIN}/biome`, 'check', '.'], reports: false, limitS: 120 },
  { name: 'types', command: [`${BIN}/tsc`, '-p', '.'], reports: false, limitS: 180 },
  {
    name: 'generated reference pages',
    command: [
      'sh',
      '-c',
      `${BIN}/bun tools/generate-cli-reference.ts --check && ${BIN}/bun tools/generate-api-reference.ts --check`,
    ],
    reports: false,
    limitS: 60,
  },
  {
    name: 'unit and architecture',
    command: bunTest('--parallel=2', './src', './cmd', './tools', './bench', './tests/architecture'),
    reports: true,
    limitS: 300,
  },
];

/** One process for each folder of integration tests: some move their process into a mount namespace of its own. */
const integrationGroups = (): Group[] =>
  readdirSync('tests/integration')
    .sort()
    .map((folder) => ({
      name: `integration ${folder}`,
      command: bunTest('--timeout=60000', `./tests/integration/${folder}`),
      reports: true,
      limitS: 300,
    }));

const END_TO_END: Group = {
  name: 'end to end',
  command: bunTest('--timeout=120000', './tests/e2e'),
  reports: true,
  limitS: 1200,
};

async function main(): Promise<number> {
  const scratch = mkdtempSync(join(tmpdir(), 'gantry-report-'));
  try {
    return conclude(isQuick ? await runGroups(CHECKS, scratch) : await runAll(scratch));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function runGroups(groups: readonly Group[], scratch: string): Promise<Totals> {
  let totals = NO_TESTS;
  for (const group of groups) totals = addTotals(totals, await runGroup(group, scratch));
  return totals;
}

/** Everything, and what is left of it. */
async function runAll(scratch: string): Promise<Totals> {
  const run = currentRun();
  const before = takeInventory(run);
  const totals = await runGroups([...CHECKS, ...integrationGroups(), END_TO_END], scratch);
  return addTotals(totals, reportLeaks(await lastingLeaks(run, before)));
}

/** What is still there when everything that was ending has had its time: a process that exits needs some milliseconds. */
async function lastingLeaks(run: TestRun, before: Inventory): Promise<readonly string[]> {
  const end = Date.now() + ENDING_MS;
  for (;;) {
    const leaks = findLeaks(before, takeInventory(run));
    if (leaks.length === 0 || Date.now() > end) return leaks;
    await Bun.sleep(100);
  }
}

function reportLeaks(leaks: readonly string[]): Totals {
  console.log(
    `==> leak check: ${leaks.length === 0 ? 'nothing left behind' : `${leaks.length} left behind`}`,
  );
  if (leaks.length === 0) return { ...NO_TESTS, passed: 1 };
  return { ...NO_TESTS, failed: 1, failures: leaks.map((leak) => `left behind: ${leak}`) };
}

if (isQuick) process.exit(await main());
await runInPrivateNetwork(
  import.meta.path,
  async () => {
    const code = await main();
    endRun(currentRun());
    return code;
  },
  { environment: newRunEnvironment },
);
