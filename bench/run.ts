/**
 * Measures our engine beside the reference engine, in turn (A B A B), and prints medians, p90 and ratios as a table;
 * the same as JSON goes to dist/bench.json. Name a part of a measurement's name to run only those.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { must } from '../tests/harness/programs.ts';
import { runInPrivateNetwork } from '../tools/private-network.ts';
import { type Engine, startGantry, startReference } from './engine.ts';
import type { Measurement } from './measurement.ts';
import { listContainers } from './measurements/api.ts';
import { ensureDebianArchives, loadImage } from './measurements/image.ts';
import { logThroughput } from './measurements/logs.ts';
import { daemonMemory, monitorMemory } from './measurements/memory.ts';
import { execTrue, parallelStarts, singleStart } from './measurements/start.ts';
import { formatTable, isWithinBudget, type Row, toJson } from './report.ts';
import { summarize } from './statistics.ts';

const MEASUREMENTS: readonly Measurement[] = [
  daemonMemory,
  singleStart,
  parallelStarts,
  execTrue,
  monitorMemory,
  listContainers,
  logThroughput,
  loadImage,
];

async function main(): Promise<number> {
  const chosen = chosenMeasurements();
  await using stack = new AsyncDisposableStack();
  const ours = stack.use(await startGantry());
  const reference = await startReferenceWithImage(ours);
  if (reference) stack.use(reference);
  const rows: Row[] = [];
  for (const measurement of chosen) {
    console.error(`==> ${measurement.name}`);
    rows.push(await measure(measurement, ours, reference));
  }
  console.log(formatTable(rows));
  for (const row of rows) await explainMissed(row, ours);
  mkdirSync('dist', { recursive: true });
  writeFileSync('dist/bench.json', `${JSON.stringify(toJson(rows), null, 2)}\n`);
  return 0;
}

function chosenMeasurements(): Measurement[] {
  const wanted = process.argv.slice(2);
  return MEASUREMENTS.filter(({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)));
}

/** What a missed budget is made of. */
async function explainMissed(row: Row, ours: Engine): Promise<void> {
  if (isWithinBudget(row) !== false) return;
  const explanation = await row.measurement.explain?.(ours);
  console.log(`\nMissed: ${row.measurement.name}${explanation === undefined ? '' : `\n${explanation}`}`);
}

async function startReferenceWithImage(ours: Engine): Promise<Engine | undefined> {
  const scratch = mkdtempSync(join(tmpdir(), 'gantry-bench-'));
  try {
    await must(ours.client, ['save', '-o', `${scratch}/busybox.tar`, 'busybox'], { host: ours.host });
    return await startReference(`${scratch}/busybox.tar`);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function measure(measurement: Measurement, ours: Engine, reference: Engine | undefined): Promise<Row> {
  const engines = reference ? [ours, reference] : [ours];
  const samples = new Map(engines.map((engine) => [engine.name, [] as number[]]));
  await using prepared = new AsyncDisposableStack();
  for (const engine of engines) if (measurement.prepare) prepared.use(await measurement.prepare(engine));
  for (let round = 0; round < measurement.rounds; round += 1) {
    for (const engine of engines) samples.get(engine.name)?.push(await measurement.sample(engine, round));
  }
  const theirs = samples.get('reference');
  return {
    measurement,
    ours: summarize(samples.get('gantry') ?? []),
    reference: theirs === undefined ? undefined : summarize(theirs),
  };
}

// The only thing that needs the machine's network.
if (chosenMeasurements().includes(loadImage)) await ensureDebianArchives(() => startGantry());
await runInPrivateNetwork(import.meta.path, main, { emptyRun: true });
