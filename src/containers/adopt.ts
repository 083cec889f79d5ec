import { errorMessage, sleep, systemClock } from '#base';
import type { Task } from '#runtime';
import type { Engine } from './engine.ts';
import type { ExecService } from './exec/exec-service.ts';
import type { ExitHandler } from './exit.ts';
import type { Container } from './model.ts';
import { startRotation } from './start/starter.ts';
import { isAlive, transition } from './state.ts';

const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 60_000;

export interface AdopterParts {
  readonly execs: Pick<ExecService, 'adopt'>;
  readonly exits: Pick<ExitHandler, 'watch'>;
}

/** What is known of the containers that are said to run. */
export interface Found {
  readonly tasks: ReadonlyMap<string, Task>;
  /** Those that could not be looked at, and why. They are taken as running: nobody has seen them end. */
  readonly unclear: ReadonlyMap<string, unknown>;
}

/** Takes over the runs of an earlier daemon. */
export class Adopter {
  readonly #engine: Engine;
  readonly #parts: AdopterParts;

  constructor(engine: Engine, parts: AdopterParts) {
    this.#engine = engine;
    this.#parts = parts;
  }

  async find(): Promise<Found> {
    const { registry, runtime } = this.#engine;
    const tasks = new Map<string, Task>();
    const unclear = new Map<string, unknown>();
    const alive = registry.all().filter(({ state }) => isAlive(state));
    await Promise.all(
      alive.map(async ({ id }) => {
        try {
          const task = await runtime.recover(id);
          if (task) tasks.set(id, task);
        } catch (error) {
          unclear.set(id, error);
        }
      }),
    );
    return { tasks, unclear };
  }

  /** @throws when the process cannot be looked at; then nothing is done yet. */
  adopt(stored: Container, task: Task): void {
    const container = this.#agreedOnPause(stored, task);
    const instance = this.#engine.instances.of(container.id);
    instance.beginRun(task);
    this.#parts.exits.watch(container.id, task);
    instance.rotator = startRotation(this.#engine, container, task);
    this.#parts.execs.adopt(container, task);
    this.#engine.companions.begin(container, task);
  }

  /** Calls `attempt` with growing delays until it does not throw, or the signal aborts. */
  async persist(
    id: string,
    failure: unknown,
    attempt: () => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const { logger } = this.#engine;
    let error = failure;
    for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(delayMs * 2, MAX_DELAY_MS)) {
      logger.warn('a container could not be taken over; it is taken as running, and that is tried again', {
        ...{ container: id, nextInMs: delayMs, error: errorMessage(error) },
      });
      await sleep(systemClock, delayMs, signal);
      if (signal.aborted) return;
      try {
        await attempt();
        logger.info('a container was taken over after all', { container: id });
        return;
      } catch (again) {
        error = again;
      }
    }
  }

  /** A crash may have come between the freezing and the row. */
  #agreedOnPause(container: Container, task: Task): Container {
    const { state } = container;
    if (!isAlive(state) || task.isPaused() === (state.status === 'paused')) return container;
    const type = state.status === 'paused' ? 'unpaused' : 'paused';
    const agreed = { ...container, state: transition(state, { type }) };
    this.#engine.registry.record(agreed);
    return agreed;
  }
}
