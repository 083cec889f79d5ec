import { errorMessage, shortId } from '#base';
import type { EngineClient } from '#client';
import { cliError } from '../core/errors.ts';
import type { StatsEntry } from '../formatter/stats.ts';

interface BoardOptions {
  /** Containers to watch; empty is all, also those that come later. */
  readonly names: readonly string[];
  /** Also those that do not run. */
  readonly all: boolean;
}

/** The newest figures of the containers that are watched. */
export class StatsBoard {
  readonly #client: EngineClient;
  readonly #options: BoardOptions;
  readonly #abort = new AbortController();
  readonly #entries = new Map<string, StatsEntry>();
  readonly #streams = new Map<string, AbortController>();
  readonly #failures: string[] = [];
  #watchesEvents = false;

  constructor(client: EngineClient, options: BoardOptions) {
    this.#client = client;
    this.#options = options;
  }

  /** Resolves when everything that is watched has had time for its first figures. */
  async open(): Promise<void> {
    const { names, all } = this.#options;
    if (names.length > 0) {
      await Promise.all(names.map((name) => this.#follow(name)));
      return;
    }
    // Events first, so that no container is missed between the list and them.
    await this.#followEvents();
    const listed = await this.#client.containers.list({ all });
    await Promise.all(listed.map(({ Id }) => this.#follow(shortId(Id))));
  }

  get isOpen(): boolean {
    return !this.#abort.signal.aborted && (this.#watchesEvents || this.#streams.size > 0);
  }

  entries(): StatsEntry[] {
    return [...this.#entries.values()];
  }

  /** Waits, but not beyond the end. */
  async pause(durationMs: number): Promise<void> {
    const { signal } = this.#abort;
    await new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, durationMs);
      signal.addEventListener('abort', end);
    });
  }

  close(): void {
    this.#abort.abort();
    for (const stream of this.#streams.values()) stream.abort();
  }

  /** @throws what went wrong with containers that were named. */
  throwFailures(): void {
    if (this.#failures.length > 0) throw cliError(this.#failures.join('\n'));
  }

  /** Resolves at the first figures, or when there will be none. */
  async #follow(container: string): Promise<void> {
    if (this.#entries.has(container) || this.#abort.signal.aborted) return;
    this.#entries.set(container, { container, stats: undefined });
    const abort = new AbortController();
    this.#streams.set(container, abort);
    await new Promise<void>((started) => {
      this.#read(container, abort.signal, started)
        .catch((error: unknown) => this.#fail(container, abort.signal, error))
        .finally(() => {
          this.#streams.delete(container);
          started();
        });
    });
  }

  async #read(container: string, signal: AbortSignal, onFirst: () => void): Promise<void> {
    for await (const stats of await this.#client.containers.stats(container, { stream: true, signal })) {
      if (this.#entries.has(container)) this.#entries.set(container, { container, stats });
      onFirst();
    }
  }

  #fail(container: string, signal: AbortSignal, error: unknown): void {
    if (signal.aborted) return;
    if (this.#options.names.length > 0) {
      this.#failures.push(errorMessage(error));
      this.close();
    } else this.#entries.delete(container);
  }

  async #followEvents(): Promise<void> {
    const { signal } = this.#abort;
    const events = await this.#client.system.events({ filters: { type: ['container'] }, signal });
    this.#watchesEvents = true;
    const reading = (async () => {
      for await (const { Action, Actor } of events) this.#onEvent(Action, Actor.ID);
    })();
    // The end of the events is the end of the engine.
    reading.catch(() => {}).finally(() => this.close());
  }

  #onEvent(action: string, fullId: string): void {
    const id = shortId(fullId);
    const { all } = this.#options;
    if (action === (all ? 'create' : 'start')) void this.#follow(id);
    if (action === (all ? 'destroy' : 'die')) {
      this.#streams.get(id)?.abort();
      this.#entries.delete(id);
    }
  }
}
