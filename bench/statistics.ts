/** Summary of the samples of one measurement on one engine. */
export interface Summary {
  readonly median: number;
  readonly p90: number;
  readonly samples: number;
}

/** Linear-interpolated quantile, `q` from 0 to 1. @throws RangeError for no samples. */
export function quantile(samples: readonly number[], q: number): number {
  if (samples.length === 0) throw new RangeError('no samples');
  const sorted = [...samples].sort((a, b) => a - b);
  const position = (sorted.length - 1) * q;
  const low = sorted[Math.floor(position)] ?? 0;
  const high = sorted[Math.ceil(position)] ?? low;
  return low + (high - low) * (position - Math.floor(position));
}

export function summarize(samples: readonly number[]): Summary {
  return { median: quantile(samples, 0.5), p90: quantile(samples, 0.9), samples: samples.length };
}
