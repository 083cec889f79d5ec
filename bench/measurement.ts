import type { Engine } from './engine.ts';

/** One row of the report. */
export interface Measurement {
  readonly name: string;
  readonly unit: string;
  readonly better: 'lower' | 'higher';
  /** Budget as ratio of ours to the reference's median: at most it (`lower`) or at least it (`higher`). */
  readonly budget: number;
  /** How often each engine is sampled, in turn. */
  readonly rounds: number;
  /** Makes what the samples need; its disposal removes it. Not timed. */
  prepare?(engine: Engine): Promise<AsyncDisposable>;
  /** One sample. */
  sample(engine: Engine, round: number): Promise<number>;
  /** Where the time or memory of our engine goes, as lines of text; asked when the budget is missed. */
  explain?(engine: Engine): Promise<string>;
}

/** Milliseconds that `action` takes. */
export async function timeMs(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return performance.now() - start;
}
