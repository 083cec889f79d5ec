import type { Process, Spec } from '#oci';
import { UNLIMITED } from './limits.ts';

/** RLIM_INFINITY (getrlimit(2)), beyond what a JavaScript number can say exactly. */
const UNLIMITED_TEXT = '18446744073709551615';

/** ECMAScript's `JSON.rawJSON`, which the type library does not know yet. */
const rawJson = (text: string): unknown =>
  (JSON as unknown as { readonly rawJSON: (text: string) => unknown }).rawJSON(text);

/** JSON for the runtimes. `-1` in rlimits becomes RLIM_INFINITY. */
export function serializeSpec(spec: Spec): string {
  return JSON.stringify({ ...spec, process: withRawLimits(spec.process) });
}

/** JSON of a `process` object for exec; see {@link serializeSpec}. */
export function serializeProcess(process: Process): string {
  return JSON.stringify(withRawLimits(process));
}

function withRawLimits(process: Process): unknown {
  const raw = (value: number) => (value === UNLIMITED ? rawJson(UNLIMITED_TEXT) : value);
  const rlimits = process.rlimits?.map(({ type, soft, hard }) => ({
    type,
    soft: raw(soft),
    hard: raw(hard),
  }));
  return rlimits ? { ...process, rlimits } : process;
}
