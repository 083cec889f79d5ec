import { memoryKb } from '../engine.ts';
import type { Measurement } from '../measurement.ts';
import { sleeper } from './start.ts';

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

export const daemonMemory: Measurement = {
  name: 'daemon memory without containers',
  unit: 'kB RSS',
  better: 'lower',
  budget: 0.6,
  rounds: 3,
  sample: async (engine) => memoryKb(engine.daemonPids(), 'Rss'),
};
