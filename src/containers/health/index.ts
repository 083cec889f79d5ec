/**
 * Health checks of containers (HEALTHCHECK, `--health-*`), with docker's semantics and texts.
 *
 * Terms: a *check* is what the configuration says (command, interval, timeout, retries, start period); a *probe* is
 * one run of its command in the container; a *result* is what came of a probe; the *monitor* of a container runs its
 * probes one after the other; the *scheduler* owns all monitors and bounds how many probes are started at once.
 *
 * Wiring: `healthCheckOf(config)` at start (undefined: no check), `initialHealth()` into the new state,
 * `scheduler.start(id, …)` once the process runs, `pause`/`resume` with the container, `stop` before its end is
 * handled. `onHealth` is where the caller stores the state and, when the status changed, publishes
 * `healthEvent(status)`. After a daemon restart `scheduler.start` gets the stored state and goes on from it.
 *
 * Invariants:
 * - Time comes from a `Clock`, processes from the `Probe` function: the folder knows neither timers nor runtimes.
 * - The state changes in one pure function (`nextHealth`). A result that comes after `pause` or `stop` is dropped.
 * - A container has at most one probe. One that hangs or does not die keeps its own container waiting, nobody else: a
 *   place is held only while a command is being started.
 * - Waiting for a place is not part of a probe's time; nor is starting the command, for which it has 30 s.
 *
 * Source: moby `daemon/health.go`.
 */
export { type CheckedConfig, type HealthCheck, healthCheckOf } from './check.ts';
export { probeDelayMs } from './delay.ts';
export {
  healthEvent,
  healthStatusText,
  initialHealth,
  nextHealth,
  type ProbeResult,
} from './health-state.ts';
export type { Probe, ProbeOutcome } from './probe.ts';
export { HealthScheduler, type HealthSchedulerOptions, type MonitoredContainer } from './scheduler.ts';
