import type { HealthState } from '../model.ts';
import type { HealthCheck } from './check.ts';

/** What came of one probe. Times in milliseconds since the epoch. */
export interface ProbeResult {
  readonly startMs: number;
  readonly endMs: number;
  /** 0 is healthy; -1 when the probe could not run or took too long. */
  readonly exitCode: number;
  readonly output: string;
}

/** How many results a container keeps. */
const MAX_LOG_ENTRIES = 5;

/** The state of a container that has just been started. */
export function initialHealth(): HealthState {
  return { status: 'starting', failingStreak: 0, log: [] };
}

/**
 * The state after a result.
 *
 * One success makes the container healthy and ends the streak. A failure counts, except for a probe that began
 * within the start period while the container had not been healthy yet; enough of them in a row make it unhealthy.
 */
export function nextHealth(
  state: HealthState,
  result: ProbeResult,
  check: Pick<HealthCheck, 'retries' | 'startPeriodMs'>,
  startedAtMs: number,
): HealthState {
  const log = [...state.log, logEntry(result)].slice(-MAX_LOG_ENTRIES);
  if (result.exitCode === 0) return { status: 'healthy', failingStreak: 0, log };
  const isExcused = state.status === 'starting' && result.startMs - startedAtMs < check.startPeriodMs;
  if (isExcused) return { ...state, log };
  const failingStreak = state.failingStreak + 1;
  return { status: failingStreak >= check.retries ? 'unhealthy' : state.status, failingStreak, log };
}

const logEntry = ({ startMs, endMs, exitCode, output }: ProbeResult): HealthState['log'][number] => ({
  start: new Date(startMs).toISOString(),
  end: new Date(endMs).toISOString(),
  exitCode,
  output,
});

/** The action of the event for a new status. Source: Engine API, events. */
export const healthEvent = (status: HealthState['status']): string => `health_status: ${status}`;

/** What `ps` puts behind the uptime: `(healthy)`, `(unhealthy)`, `(health: starting)`. Source: moby `container/health.go`. */
export const healthStatusText = (status: HealthState['status']): string =>
  status === 'starting' ? '(health: starting)' : `(${status})`;
