import { type Clock, type Semaphore, sleep } from '#base';
import type { HealthState } from '../model.ts';
import type { HealthCheck } from './check.ts';
import { probeDelayMs, resumeDelayMs } from './delay.ts';
import { nextHealth, type ProbeResult } from './health-state.ts';
import { type Probe, type ProbeRun, runProbe } from './probe.ts';

export interface MonitorOptions {
  readonly containerId: string;
  readonly check: HealthCheck;
  readonly probe: Probe;
  /** When the process was started, in milliseconds since the epoch. */
  readonly startedAtMs: number;
  /** State to begin with: the initial one, or the stored one of a container that this daemon has adopted. */
  readonly health: HealthState;
  readonly clock: Clock;
  /** Places for probes that are started at the same time, shared by all monitors. */
  readonly places: Semaphore;
  /** 0 to 1, this container's own: see {@link resumeDelayMs}. */
  readonly spread: number;
  readonly onHealth: (health: HealthState, previous: HealthState) => void;
}

/** How long {@link HealthMonitor.stop} waits for a probe that does not die. */
const STOP_LIMIT_MS = 10_000;

/** Runs the probes of one container, one after the other, while the container runs and is not paused. */
export class HealthMonitor {
  readonly #options: MonitorOptions;
  #health: HealthState;
  #watch: AbortController | undefined;
  #loop: Promise<void> = Promise.resolve();

  constructor(options: MonitorOptions) {
    this.#options = options;
    this.#health = options.health;
  }

  get health(): HealthState {
    return this.#health;
  }

  /** Begins to probe: after the start, or after an adoption if there are results already. */
  start(): void {
    const { check, clock, startedAtMs, spread } = this.#options;
    const nowMs = clock.now();
    this.#begin(resumeDelayMs(check, this.#health, nowMs - startedAtMs, { nowMs, spread }));
  }

  /** Begins anew after a pause: a whole interval from now, as docker does. */
  resume(): void {
    this.#begin(this.#delayMs());
  }

  #begin(delayMs: number): void {
    if (this.#watch) return;
    const watch = new AbortController();
    this.#watch = watch;
    // One after the other: the probe of the former watch may not have died yet.
    this.#loop = this.#loop.then(() => this.#run(delayMs, watch.signal));
  }

  /** No more probes; a running one is killed and its result dropped. Does not wait. */
  pause(): void {
    this.#watch?.abort();
    this.#watch = undefined;
  }

  /** As {@link pause}, and waits until nothing runs any more, but not for ever. */
  async stop(): Promise<void> {
    this.pause();
    const enough = new AbortController();
    await Promise.race([this.#loop, sleep(this.#options.clock, STOP_LIMIT_MS, enough.signal)]);
    enough.abort();
  }

  async #run(firstDelayMs: number, signal: AbortSignal): Promise<void> {
    for (let delayMs = firstDelayMs; ; delayMs = this.#delayMs()) {
      await sleep(this.#options.clock, delayMs, signal);
      if (signal.aborted) return;
      const run = await this.#options.places.run(() => this.#probe(signal));
      if (!run) return;
      this.#note(await run.result, signal);
      await run.ended;
    }
  }

  /** Resolves as soon as the command runs: commands that take long must not keep others from being started. */
  async #probe(signal: AbortSignal): Promise<ProbeRun | undefined> {
    if (signal.aborted) return undefined;
    const { probe, check } = this.#options;
    const run = runProbe(probe, check, { ...this.#options, signal });
    await run.started;
    return run;
  }

  #note(result: ProbeResult | undefined, signal: AbortSignal): void {
    if (!result || signal.aborted) return;
    const { check, startedAtMs, onHealth } = this.#options;
    const previous = this.#health;
    this.#health = nextHealth(previous, result, check, startedAtMs);
    onHealth(this.#health, previous);
  }

  #delayMs(): number {
    const { check, clock, startedAtMs } = this.#options;
    return probeDelayMs(check, this.#health.status, clock.now() - startedAtMs);
  }
}
