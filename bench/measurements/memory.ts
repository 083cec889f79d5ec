import { memoryKb } from '../engine.ts';
import type { Measurement } from '../measurement.ts';
import { runTrue, sleeper } from './start.ts';

const IDLE_CONTAINERS = 20;

export const monitorMemory: Measurement = {
  name: `monitor memory per idle container (of ${IDLE_CONTAINERS})`,
  unit: 'kB PSS',
  better: 'lower',
  budget: 0.12,
  rounds: 3,
  prepare: async (engine) => {
    const stack = new AsyncDisposableStack();
    for (let at = 0; at < IDLE_CONTAINERS; at += 1) stack.use(await sleeper(engine, `bench-idle-${at}`));
    return stack;
  },
  sample: async (engine) => {
    const pids = engine.monitorPids();
    if (pids.length < IDLE_CONTAINERS) throw new Error(`found ${pids.length} monitors of ${IDLE_CONTAINERS}`);
    return memoryKb(pids, 'Pss') / IDLE_CONTAINERS;
  },
};

/** Both engines give memory back some time after their work: ours two checks of five seconds after its last Worker. */
const SETTLE_MS = 20_000;
const RUNS = 20;

/** What each engine holds when it has started containers and then has had nothing to do. */
export const daemonMemory: Measurement = {
  name: `daemon memory, idle after ${RUNS} runs`,
  unit: 'kB RSS',
  better: 'lower',
  budget: 0.6,
  rounds: 2,
  sample: async (engine) => {
    for (let run = 0; run < RUNS; run += 1) await runTrue(engine);
    await Bun.sleep(SETTLE_MS);
    return memoryKb(engine.daemonPids(), 'Rss');
  },
};
