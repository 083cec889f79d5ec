import { stringifyExactJson } from '#base';
import type { Process, Spec } from '#oci';
import { UNLIMITED } from './limits.ts';

/** RLIM_INFINITY (getrlimit(2)), beyond what a JavaScript number can say exactly. */
const RLIM_INFINITY = 2n ** 64n - 1n;

/** JSON for the runtimes. `-1` in rlimits becomes RLIM_INFINITY. */
export function serializeSpec(spec: Spec): string {
  return stringifyExactJson({ ...spec, process: withRawLimits(spec.process) });
}

/** JSON of a `process` object for exec; see {@link serializeSpec}. */
export function serializeProcess(process: Process): string {
  return stringifyExactJson(withRawLimits(process));
}

function withRawLimits(process: Process): unknown {
  const raw = (value: number) => (value === UNLIMITED ? RLIM_INFINITY : value);
  const rlimits = process.rlimits?.map(({ type, soft, hard }) => ({
    type,
    soft: raw(soft),
    hard: raw(hard),
  }));
  return rlimits ? { ...process, rlimits } : process;
}
