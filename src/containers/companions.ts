import { errorMessage, type Logger } from '#base';
import type { Task } from '#runtime';
import type { Container } from './model.ts';

/** Something that accompanies the runs of containers: health checks, log forwarding. Called under the container's lock. */
export interface Companion {
  /** A run has begun, or one that an earlier daemon began was adopted. The state says running or paused. */
  begin(container: Container, task: Task): void | Promise<void>;
  /** The run has other limits from now on. */
  update?(container: Container, task: Task): void | Promise<void>;
  pause?(id: string): void;
  resume?(id: string): void;
  /** The run is over: no waiting for anything. */
  end(id: string): void;
  /** A container that an earlier daemon started has ended while no daemon ran. */
  ended?(container: Container): void | Promise<void>;
  /** The container is about to be erased, with its files. */
  forget?(id: string): void | Promise<void>;
  /** The daemon ends; runs go on. */
  close(): Promise<void>;
}

/** All companions. One that fails is logged; neither the run nor the others suffer. */
export class Companions {
  readonly #logger: Logger;
  readonly #all: Companion[] = [];
  readonly #pending = new Set<Promise<void>>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  add(companion: Companion): void {
    this.#all.push(companion);
  }

  begin(container: Container, task: Task): void {
    this.#each(container.id, (companion) => companion.begin(container, task));
  }

  update(container: Container, task: Task): void {
    this.#each(container.id, (companion) => companion.update?.(container, task));
  }

  pause(id: string): void {
    this.#each(id, (companion) => companion.pause?.(id));
  }

  resume(id: string): void {
    this.#each(id, (companion) => companion.resume?.(id));
  }

  end(id: string): void {
    this.#each(id, (companion) => companion.end(id));
  }

  ended(container: Container): void {
    this.#each(container.id, (companion) => companion.ended?.(container));
  }

  /** Resolves when nobody needs the container's files any more. */
  async forget(id: string): Promise<void> {
    await Promise.all(this.#all.map((companion) => this.#attempt(id, () => companion.forget?.(id))));
  }

  async close(): Promise<void> {
    await Promise.all(this.#pending);
    await Promise.all(this.#all.map((companion) => companion.close()));
  }

  #each(id: string, action: (companion: Companion) => void | Promise<void>): void {
    for (const companion of this.#all) {
      const done = this.#attempt(id, () => action(companion)).finally(() => this.#pending.delete(done));
      this.#pending.add(done);
    }
  }

  async #attempt(id: string, action: () => void | Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.#logger.warn('a companion of the container failed', { container: id, error: errorMessage(error) });
    }
  }
}
