import { errorMessage } from '#base';
import type { Task } from '#runtime';
import type { Companion } from './companions.ts';
import type { Engine } from './engine.ts';
import type { ExecService } from './exec/exec-service.ts';
import { healthProbe } from './exec/health-probe.ts';
import { HealthScheduler, healthCheckOf, healthEvent, initialHealth } from './health/index.ts';
import type { Container, HealthState } from './model.ts';
import { isAlive, startedAtOf, transition } from './state.ts';

/** Checks the health of running containers, and keeps the results in their state. */
export class HealthWatch implements Companion {
  readonly #engine: Engine;
  readonly #execs: ExecService;
  readonly #scheduler: HealthScheduler;
  /** Results on their way into the state, and probes on their way out. */
  readonly #pending = new Set<Promise<void>>();

  constructor(engine: Engine, execs: ExecService) {
    this.#engine = engine;
    this.#execs = execs;
    this.#scheduler = new HealthScheduler({ logger: engine.logger });
  }

  begin({ id, config, state }: Container, _task: Task): void {
    const check = healthCheckOf(config);
    if (!check || !isAlive(state)) return;
    this.#scheduler.start(id, {
      check,
      probe: healthProbe(this.#execs, id, check.command),
      startedAtMs: Date.parse(state.startedAt),
      health: state.health ?? initialHealth(),
      onHealth: (health, previous) => this.#record(id, state.startedAt, health, previous),
    });
    if (state.status === 'paused') this.#scheduler.pause(id);
  }

  pause(id: string): void {
    this.#scheduler.pause(id);
  }

  resume(id: string): void {
    this.#scheduler.resume(id);
  }

  end(id: string): void {
    this.#own(this.#scheduler.stop(id));
  }

  async close(): Promise<void> {
    await this.#scheduler.close();
    await Promise.all(this.#pending);
  }

  #own(work: Promise<void>): void {
    const done = work
      .catch((error) => this.#engine.logger.warn('health not recorded', { error: errorMessage(error) }))
      .finally(() => this.#pending.delete(done));
    this.#pending.add(done);
  }

  #record(id: string, startedAt: string, health: HealthState, previous: HealthState): void {
    this.#own(
      this.#engine.locks.run(id, () => {
        const { registry, events } = this.#engine;
        const container = registry.byId(id);
        // Of an earlier run, or too late.
        if (!container || !isAlive(container.state) || startedAtOf(container.state) !== startedAt) return;
        const checked = {
          ...container,
          state: transition(container.state, { type: 'health-changed', health }),
        };
        // Only a change of the status must outlive a crash: a write for each probe of each container is too much.
        if (health.status === previous.status) return registry.publish(checked);
        registry.save(checked);
        events.publish(checked, healthEvent(health.status));
      }),
    );
  }
}
