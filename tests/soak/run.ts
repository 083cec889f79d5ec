/**
 * The long forms of the reliability tests. `make soak`, or name some (see scenarios.ts), each on a daemon of its own.
 * `GANTRY_SOAK_SCALE=0.01` makes all of them a hundred times shorter. Prints the figures and exits 1 when anything was lost.
 */
import { runInPrivateNetwork } from '../../tools/private-network.ts';
import { startDaemon } from '../harness/daemon.ts';
import { findLeaks, takeInventory } from '../harness/leaks.ts';
import { gantryClient, must } from '../harness/programs.ts';
import { currentRun, endRun, newRunEnvironment } from '../harness/test-run.ts';
import { createFreezableRuntime } from '../reliability/stuck-parts.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';

const SCALE = Number(process.env['GANTRY_SOAK_SCALE'] ?? 1);
const PROGRESS_MS = 30_000;
/** More addresses than any scenario has containers; the network namespace is the run's own. */
const ROOMY_BRIDGE = '10.210.0.1/16';

async function play(name: string, scenario: Scenario): Promise<boolean> {
  using runtime = createFreezableRuntime();
  const flags = ['--log-level', 'info', '--bip', ROOMY_BRIDGE, ...runtime.flags];
  await using daemon = await startDaemon({ flags });
  await must(gantryClient, ['image', 'bootstrap', 'busybox'], { host: daemon.host });
  const started = Date.now();
  let shown = started;
  const onProgress = (done: number): void => {
    if (Date.now() - shown < PROGRESS_MS) return;
    shown = Date.now();
    console.error(`${name}: ${done}`);
  };
  const scale = (usual: number): number => Math.max(1, Math.ceil(usual * SCALE));
  const { figures, problems } = await scenario.run({
    daemon,
    client: gantryClient,
    runtime,
    onProgress,
    scale,
  });
  const seconds = ((Date.now() - started) / 1000).toFixed(0);
  console.log(`${scenario.row} ${name}: ${problems.length} problems (${seconds} s)`);
  for (const line of figures) console.log(`  ${line}`);
  for (const line of problems) console.log(`  PROBLEM ${line}`);
  return problems.length === 0;
}

async function main(): Promise<boolean> {
  const wanted = process.argv.slice(2);
  const unknown = wanted.filter((name) => !(name in SCENARIOS));
  if (unknown.length > 0) {
    console.error(`unknown: ${unknown.join(' ')}; there are: ${Object.keys(SCENARIOS).join(' ')}`);
    return false;
  }
  const run = currentRun();
  const before = takeInventory(run);
  let isWell = true;
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    isWell = (await play(name, scenario)) && isWell;
  }
  const leaks = findLeaks(before, takeInventory(run));
  for (const leak of leaks) console.log(`left behind: ${leak}`);
  endRun(run);
  return isWell && leaks.length === 0;
}

await runInPrivateNetwork(import.meta.path, async () => ((await main()) ? 0 : 1), {
  environment: newRunEnvironment,
});
