import type { HealthState } from '../model.ts';
import type { HealthCheck } from './check.ts';

type Pace = Pick<HealthCheck, 'intervalMs' | 'startIntervalMs' | 'startPeriodMs'>;

/** How long to wait now until the next probe: the start interval while starting within the start period, else the interval. */
export function probeDelayMs(check: Pace, status: HealthState['status'], sinceStartMs: number): number {
  const isStarting = status === 'starting' && sinceStartMs < check.startPeriodMs;
  return isStarting ? check.startIntervalMs : check.intervalMs;
}

/**
 * The wait before the first probe of a container that was running before this daemon was. Its rhythm goes on: one
 * interval after the last result. When that time has passed already (the daemon was away), all such containers
 * would be due at once; docker would wait a whole interval, so any time within it will do, and each container gets
 * its own by `spread` (0 to 1).
 */
export function resumeDelayMs(
  check: Pace,
  health: HealthState,
  sinceStartMs: number,
  times: { readonly nowMs: number; readonly spread: number },
): number {
  const delayMs = probeDelayMs(check, health.status, sinceStartMs);
  const last = health.log.at(-1);
  if (!last) return delayMs;
  const dueMs = Date.parse(last.end) + delayMs - times.nowMs;
  return dueMs > 0 ? Math.min(dueMs, delayMs) : delayMs * times.spread;
}
