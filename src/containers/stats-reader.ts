import type { Engine } from './engine.ts';
import type { Container } from './model.ts';
import { cgroupPathOf } from './paths.ts';
import { isAlive } from './state.ts';
import type { ContainerStats } from './stats/index.ts';
import { createStatsSampler, type StatsSampler, type StatsTarget } from './stats/index.ts';
import type { StatsOptions } from './types.ts';

/** Statistics of containers, all from one sampler. */
export class StatsReader {
  readonly #engine: Engine;
  readonly #sampler: StatsSampler;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#sampler = createStatsSampler({ cgroups: engine.sys.cgroups, logger: engine.logger });
  }

  /** Checks at once. A stream ends when the container is removed or `signal` aborts. @throws `not_found`. */
  read(ref: string, { mode, signal }: StatsOptions): AsyncIterable<ContainerStats> {
    const { id } = this.#engine.registry.resolve(ref);
    if (mode === 'stream') return this.#stream(id, signal);
    return this.#once(id, mode, signal);
  }

  async *#once(id: string, mode: 'once' | 'one-shot', signal?: AbortSignal): AsyncGenerator<ContainerStats> {
    const target = this.#target(id);
    if (target === undefined) return;
    yield mode === 'one-shot' ? this.#sampler.sample(target) : await this.#sampler.measure(target, signal);
  }

  /** A client that reads slowly misses samples: it gets the newest one. */
  async *#stream(id: string, signal?: AbortSignal): AsyncGenerator<ContainerStats> {
    let newest: ContainerStats | undefined;
    let wake = () => {};
    const onAbort = (): void => wake();
    signal?.addEventListener('abort', onAbort);
    const subscription = this.#sampler.subscribe(
      () => this.#target(id),
      (stats) => {
        newest = stats;
        wake();
      },
    );
    try {
      while (!signal?.aborted && this.#engine.registry.byId(id) !== undefined) {
        const stats = newest;
        newest = undefined;
        if (stats) yield stats;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      subscription[Symbol.dispose]();
      signal?.removeEventListener('abort', onAbort);
    }
  }

  #target(id: string): StatsTarget | undefined {
    const { registry, defaults } = this.#engine;
    const container = registry.byId(id);
    if (!container) return undefined;
    const { state } = container;
    return {
      id,
      cgroupPath: cgroupPathOf(container, defaults),
      pid: isAlive(state) ? state.pid : undefined,
      ...(this.#hasHostNetwork(container) ? { interfaces: [] } : {}),
    };
  }

  /** Also through another container. Its interfaces are the host's and say nothing about the container. */
  #hasHostNetwork({ hostConfig: { networkMode }, id }: Container): boolean {
    if (!networkMode.startsWith('container:')) return networkMode === 'host';
    const donor = this.#engine.registry.byId(networkMode.slice('container:'.length));
    return donor !== undefined && donor.id !== id && this.#hasHostNetwork(donor);
  }
}
