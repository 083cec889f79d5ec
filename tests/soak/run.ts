/**
 * The long forms of the reliability tests. `make soak`, or name some: `short-runs`, `slow-reader`, `crashes`.
 * Prints the figures and exits 1 when anything was lost.
 */
import { runInPrivateNetwork } from '../../tools/private-network.ts';
import { startDaemon } from '../harness/daemon.ts';
import { findLeaks, takeInventory } from '../harness/leaks.ts';
import { gantryClient, must } from '../harness/programs.ts';
import { crashRepeatedly } from '../reliability/daemon-crashes.ts';
import { shortRuns } from '../reliability/short-runs.ts';
import { slowReader } from '../reliability/slow-reader.ts';

const SHORT_RUNS = Number(process.env['GANTRY_SOAK_RUNS'] ?? 10_000);
const MEGABYTES = 1024;
const CRASHES = 500;

const progress = (what: string, every: number) => (done: number) => {
  if (done % every === 0) console.error(`${what}: ${done}`);
};

async function main(): Promise<boolean> {
  const wanted = process.argv.slice(2);
  const chosen = (name: string): boolean => wanted.length === 0 || wanted.includes(name);
  const before = takeInventory();
  let lost = false;
  {
    await using daemon = await startDaemon({ flags: ['--log-level', 'info'] });
    const client = gantryClient;
    await must(client, ['image', 'bootstrap', 'busybox'], { host: daemon.host });
    if (chosen('short-runs')) {
      const onProgress = progress('short runs', 1000);
      const report = await shortRuns({
        client,
        host: daemon.host,
        count: SHORT_RUNS,
        parallel: 4,
        onProgress,
      });
      console.log(
        `short runs: ${report.runs}, wrong output ${report.wrongOutput.length}, wrong exit code ${report.wrongExitCode.length}`,
      );
      for (const line of [...report.wrongOutput, ...report.wrongExitCode]) console.log(`  ${line}`);
      lost ||= report.wrongOutput.length + report.wrongExitCode.length > 0;
    }
    if (chosen('slow-reader')) {
      const report = await slowReader({
        client,
        host: daemon.host,
        megabytes: MEGABYTES,
        slowBytes: 64 * 1024 * 1024,
      });
      console.log(
        `slow reader: ${report.receivedBytes} of ${report.expectedBytes} bytes, identical: ${report.identical}`,
      );
      lost ||= !report.identical || report.exitCode !== 0;
    }
    if (chosen('crashes')) {
      const onProgress = progress('crashes', 50);
      const report = await crashRepeatedly({ daemon, client, crashes: CRASHES, onProgress });
      console.log(`crashes: ${report.crashes}, problems ${report.problems.length}`);
      for (const line of report.problems) console.log(`  ${line}`);
      lost ||= report.problems.length > 0;
    }
  }
  const leaks = findLeaks(before, takeInventory());
  for (const leak of leaks) console.log(`left behind: ${leak}`);
  return !lost && leaks.length === 0;
}

await runInPrivateNetwork(import.meta.path, async () => ((await main()) ? 0 : 1));
