import type { StartTrace } from '../types.ts';

type Phase = Exclude<keyof StartTrace, 'total'>;

/** Takes the time of each phase of one start. */
export class PhaseTrace {
  readonly #begin = performance.now();
  readonly #phases: Record<Phase, number> = {
    rootfs: 0,
    network: 0,
    files: 0,
    spec: 0,
    create: 0,
    attach: 0,
    start: 0,
  };

  sync<T>(phase: Phase, action: () => T): T {
    const begin = performance.now();
    try {
      return action();
    } finally {
      this.#phases[phase] += performance.now() - begin;
    }
  }

  async measure<T>(phase: Phase, action: () => Promise<T> | T): Promise<T> {
    const begin = performance.now();
    try {
      return await action();
    } finally {
      this.#phases[phase] += performance.now() - begin;
    }
  }

  finish(): StartTrace {
    const total = performance.now() - this.#begin;
    const rounded = Object.entries({ ...this.#phases, total }).map(
      ([phase, ms]) => [phase, Math.round(ms * 100) / 100] as const,
    );
    return Object.fromEntries(rounded) as StartTrace;
  }
}

/** The trace as event attributes: `gantry.start.create` → `11.3`. */
export const traceAttributes = (trace: StartTrace): Record<string, string> =>
  Object.fromEntries(Object.entries(trace).map(([phase, ms]) => [`gantry.start.${phase}`, String(ms)]));
