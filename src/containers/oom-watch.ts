import type { Task } from '#runtime';
import type { Companion } from './companions.ts';
import type { Engine } from './engine.ts';
import type { Container } from './model.ts';
import { isAlive, transition } from './state.ts';

/**
 * Tells at once when a container runs out of memory, not only when it ends: it may go on without one of its processes, or
 * hang where killing is disabled. Watched are those with a limit; what the kernel takes from others for lack of memory
 * altogether is told at their end.
 */
export class OomWatch implements Companion {
  readonly #engine: Engine;
  readonly #watched = new Map<string, Disposable>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  begin({ id, hostConfig }: Container, task: Task): void {
    if (hostConfig.memory <= 0 || this.#watched.has(id)) return;
    this.#watched.set(
      id,
      task.watchOom(() => void this.#engine.locks.run(id, async () => this.#tell(id, task))),
    );
  }

  /** A limit may be new. */
  update(container: Container, task: Task): void {
    this.begin(container, task);
  }

  end(id: string): void {
    this.#watched.get(id)?.[Symbol.dispose]();
    this.#watched.delete(id);
  }

  async close(): Promise<void> {
    for (const id of [...this.#watched.keys()]) this.end(id);
  }

  #tell(id: string, task: Task): void {
    const { registry, instances, events, logger } = this.#engine;
    const container = registry.byId(id);
    // The end of the run has told it.
    if (!container || !isAlive(container.state) || instances.peek(id)?.task !== task) return;
    const told = { ...container, state: transition(container.state, { type: 'out-of-memory' }) };
    const error = registry.record(told, { durability: 'ordered' });
    if (error)
      logger.warn('that a container ran out of memory could not be stored', { container: id, error });
    events.publish(told, 'oom');
  }
}
