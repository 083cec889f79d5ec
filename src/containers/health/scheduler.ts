import { type Clock, errorMessage, type Logger, Semaphore, systemClock } from '#base';
import type { HealthState } from '../model.ts';
import type { HealthCheck } from './check.ts';
import { HealthMonitor } from './monitor.ts';
import type { Probe } from './probe.ts';

export interface HealthSchedulerOptions {
  readonly logger: Logger;
  /** Default: the real time. */
  readonly clock?: Clock;
  /** How many probes may be started at the same time, over all containers. Default 8. */
  readonly maxConcurrent?: number;
}

/** A container to be watched. */
export interface MonitoredContainer {
  readonly check: HealthCheck;
  readonly probe: Probe;
  /** When its process was started, in milliseconds since the epoch. */
  readonly startedAtMs: number;
  /** `initialHealth()`, or what is stored of a container that this daemon has adopted. */
  readonly health: HealthState;
  /** Called after each result. What it throws is logged. */
  readonly onHealth: (health: HealthState, previous: HealthState) => void;
}

const DEFAULT_MAX_CONCURRENT = 8;

/**
 * The health checks of all containers. A thousand of them do not stampede: each has its own rhythm from its own
 * start, adopted ones keep theirs, and at most `maxConcurrent` probes are being started at once, the others wait their turn. How many
 * run is bounded by the containers: one each.
 */
export class HealthScheduler {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #places: Semaphore;
  readonly #monitors = new Map<string, HealthMonitor>();

  constructor({
    logger,
    clock = systemClock,
    maxConcurrent = DEFAULT_MAX_CONCURRENT,
  }: HealthSchedulerOptions) {
    this.#logger = logger;
    this.#clock = clock;
    this.#places = new Semaphore(maxConcurrent);
  }

  /** Watches a container whose process has just been started or adopted. Replaces a watch of a former run. */
  start(containerId: string, container: MonitoredContainer): void {
    this.#monitors.get(containerId)?.pause();
    const monitor = new HealthMonitor({
      ...container,
      containerId,
      clock: this.#clock,
      places: this.#places,
      spread: spreadOf(containerId),
      onHealth: (health, previous) => this.#report(containerId, container, health, previous),
    });
    this.#monitors.set(containerId, monitor);
    monitor.start();
  }

  #report(
    containerId: string,
    { onHealth }: MonitoredContainer,
    health: HealthState,
    previous: HealthState,
  ): void {
    try {
      onHealth(health, previous);
    } catch (error) {
      this.#logger.warn('health not recorded', { container: containerId, error: errorMessage(error) });
    }
  }

  /** The container is paused: it is not probed until {@link resume}. */
  pause(containerId: string): void {
    this.#monitors.get(containerId)?.pause();
  }

  resume(containerId: string): void {
    this.#monitors.get(containerId)?.resume();
  }

  /** The container ends or has ended. Resolves when its last probe is gone, or does not die; no result is reported after the call. */
  async stop(containerId: string): Promise<void> {
    const monitor = this.#monitors.get(containerId);
    this.#monitors.delete(containerId);
    await monitor?.stop();
  }

  /** Stops all. The states stay as they are, for the next daemon. */
  async close(): Promise<void> {
    await Promise.all([...this.#monitors.keys()].map((id) => this.stop(id)));
  }

  /** How many containers are watched. */
  get size(): number {
    return this.#monitors.size;
  }
}

/** A container's own number between 0 and 1: the same after each restart of the daemon. */
function spreadOf(containerId: string): number {
  return Number(Bun.hash.crc32(containerId)) / 2 ** 32;
}
