import type { Clock } from '../clock.ts';

/** How often promises get their turn after each action: enough for the longest chain between two timers. */
const TURNS = 50;

/** A clock that stands still until a test moves it. */
export interface ManualClock extends Clock {
  /** Moves on by `ms`; on the way each action runs at its time and what follows from it settles. */
  advance(ms: number): Promise<void>;
  /** Lets pending promises settle without any time passing. */
  settle(): Promise<void>;
  /** How many actions are still to come. */
  readonly pending: number;
}

/** Starts at `nowMs`, by default the first of January 2026. */
export function createManualClock(nowMs: number = Date.UTC(2026, 0, 1)): ManualClock {
  let now = nowMs;
  let order = 0;
  const actions = new Map<number, { readonly at: number; readonly action: () => void }>();
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < TURNS; turn += 1) await Promise.resolve();
  };
  const nextUntil = (end: number) =>
    [...actions].filter(([, { at }]) => at <= end).sort(([a, x], [b, y]) => x.at - y.at || a - b)[0];
  return {
    now: () => now,
    schedule: (delayMs, action) => {
      const id = order++;
      actions.set(id, { at: now + Math.max(0, delayMs), action });
      return () => actions.delete(id);
    },
    advance: async (ms) => {
      const end = now + ms;
      await settle();
      for (let next = nextUntil(end); next; next = nextUntil(end)) {
        const [id, { at, action }] = next;
        actions.delete(id);
        now = Math.max(now, at);
        action();
        await settle();
      }
      now = end;
    },
    settle,
    get pending() {
      return actions.size;
    },
  };
}
