/**
 * Starts many containers on our engine, one after another, and prints how it holds: latency of the first and the last
 * tenth, what an idle container costs, lists under that load, removal. `bun bench/scale.ts [containers]`, default 1000.
 */
import { readFileSync } from 'node:fs';
import { must, run } from '../tests/harness/programs.ts';
import { runInPrivateNetwork } from '../tools/private-network.ts';
import { type Engine, memoryKb, removeAll, startGantry } from './engine.ts';
import { timeMs } from './measurement.ts';
import { phasesSince } from './phase-trace.ts';
import { quantile } from './statistics.ts';

const DEFAULT_COUNT = 1000;
/** Room for more addresses than a bridge has ports. */
const FLAGS = ['--bip', '10.210.0.1/16'];
const SETTLE_MS = 15_000;
const LISTS = 20;

async function main(): Promise<number> {
  const count = Number(process.argv[2] ?? DEFAULT_COUNT);
  await using engine = await startGantry(FLAGS);
  const availableBefore = availableKb();
  const latencies: number[] = [];
  const tenth = Math.max(1, Math.floor(count / 10));
  let since = Math.floor(Date.now() / 1000);
  for (let at = 0; at < count; at += 1) {
    if (at === tenth) console.log(`first ${tenth}:\n${await phasesSince(engine.host, since)}`);
    if (at === count - tenth) since = Math.floor(Date.now() / 1000);
    const failure = await start(engine, at, latencies);
    if (failure === undefined) continue;
    console.log(`container ${at + 1} was refused: ${failure}`);
    break;
  }
  console.log(`last:\n${await phasesSince(engine.host, since)}`);
  await Bun.sleep(SETTLE_MS);
  await report(engine, latencies, availableBefore - availableKb());
  const removal = await timeMs(() => removeAll(engine.client, engine.host));
  console.log(`removal: ${(removal / latencies.length).toFixed(1)} ms per container`);
  return 0;
}

/** Answers the engine's refusal, if any. */
async function start({ client, host }: Engine, at: number, latencies: number[]): Promise<string | undefined> {
  const begin = performance.now();
  const result = await run(client, ['run', '-d', '--name', `scale-${at}`, 'busybox', 'sleep', '1000000'], {
    host,
  });
  if (result.code !== 0) return result.stderr.trim();
  latencies.push(performance.now() - begin);
  return undefined;
}

async function report(engine: Engine, latencies: readonly number[], usedKb: number): Promise<void> {
  const tenth = Math.max(1, Math.floor(latencies.length / 10));
  const first = quantile(latencies.slice(0, tenth), 0.5);
  const last = quantile(latencies.slice(-tenth), 0.5);
  const lists: number[] = [];
  for (let at = 0; at < LISTS; at += 1)
    lists.push(await timeMs(() => must(engine.client, ['ps', '-q'], { host: engine.host })));
  const count = latencies.length;
  const lines = [
    `containers running: ${count}`,
    `start, first ${tenth}: p50 ${first.toFixed(1)} ms; last ${tenth}: p50 ${last.toFixed(1)} ms; ratio ${(last / first).toFixed(2)} (budget 1.5)`,
    `ps: p50 ${quantile(lists, 0.5).toFixed(1)} ms`,
    `monitors: ${(memoryKb(engine.monitorPids(), 'Pss') / count).toFixed(0)} kB PSS per container`,
    `all memory the machine lost: ${(usedKb / count).toFixed(0)} kB per container`,
    `daemon: ${(memoryKb(engine.daemonPids(), 'Rss') / 1024).toFixed(0)} MB RSS`,
  ];
  console.log(lines.join('\n'));
}

const availableKb = (): number =>
  Number(/^MemAvailable:\s+(\d+)/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1] ?? 0);

await runInPrivateNetwork(import.meta.path, main, { emptyRun: true });
