import { availableParallelism } from 'node:os';
import { must } from '../../tests/harness/programs.ts';
import type { Engine } from '../engine.ts';
import { type Measurement, timeMs } from '../measurement.ts';
import { phaseTrace } from '../phase-trace.ts';
import { processorMsPer } from '../processor-time.ts';

/** One container from a client's start to its end. */
export const runTrue = (engine: Engine): Promise<string> =>
  must(engine.client, ['run', '--rm', 'busybox', 'true'], { host: engine.host });

export const singleStart: Measurement = {
  name: 'run --rm busybox true (client to exit)',
  unit: 'ms',
  better: 'lower',
  budget: 0.15,
  rounds: 30,
  sample: (engine) => timeMs(() => runTrue(engine)),
  explain: phaseTrace,
};

const PARALLEL = 8;
const BATCH = 24;

export const parallelStarts: Measurement = {
  name: `${PARALLEL} starts in parallel`,
  unit: 'containers/s',
  better: 'higher',
  budget: 8,
  rounds: 4,
  sample: async (engine) => {
    let left = BATCH;
    const worker = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        await runTrue(engine);
      }
    };
    const ms = await timeMs(() => Promise.all(Array.from({ length: PARALLEL }, worker)));
    return (BATCH / ms) * 1000;
  },
  explain: async (engine) => {
    const each = await processorMsPer(BATCH, () => parallelStarts.sample(engine, 0));
    return `  processor time of the whole machine: ${each.toFixed(1)} ms per container, on ${availableParallelism()} processors`;
  },
};

const EXEC_NAME = 'bench-exec';

export const execTrue: Measurement = {
  name: 'exec true (client to exit)',
  unit: 'ms',
  better: 'lower',
  budget: 0.5,
  rounds: 30,
  prepare: (engine) => sleeper(engine, EXEC_NAME),
  sample: (engine) => timeMs(() => must(engine.client, ['exec', EXEC_NAME, 'true'], { host: engine.host })),
};

/** A container that idles under `name` until disposed. */
export async function sleeper(engine: Engine, name: string): Promise<AsyncDisposable> {
  await must(engine.client, ['run', '-d', '--name', name, 'busybox', 'sleep', '100000'], {
    host: engine.host,
  });
  return {
    [Symbol.asyncDispose]: async () => {
      await must(engine.client, ['rm', '-f', name], { host: engine.host });
    },
  };
}
