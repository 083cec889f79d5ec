import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoCode, errorMessage, type Logger, silentLogger } from '#base';
import type { Cgroups } from '#sys';
import type { CgroupStats, ReadControllerFile } from './cgroup-stats.ts';
import { readV1 } from './cgroup-v1.ts';
import { readV2 } from './cgroup-v2.ts';
import { parseMemTotal, parseNetDev, parseProcStat } from './host.ts';
import type { ContainerSample, ContainerStats, StatsTarget } from './types.ts';

export interface StatsSamplerOptions {
  readonly cgroups: Pick<Cgroups, 'mode' | 'directory'>;
  /** Time between two samples of a subscribed container. Default 1000. */
  readonly intervalMs?: number;
  /** Content of a file, undefined when it is not there. Default: the real one. For tests with recorded trees. */
  readonly readFile?: (path: string) => string | undefined;
  readonly logger?: Logger;
}

export interface StatsSampler {
  /** One look, without a previous one (`one-shot`). A container that does not run gives zeros. */
  sample(target: StatsTarget): ContainerStats;
  /**
   * Two looks an interval apart: the second, with the first as its previous one (`stream=0`). At once for a container
   * that does not run. @throws the signal's reason.
   */
  measure(target: StatsTarget, signal?: AbortSignal): Promise<ContainerStats>;
  /**
   * Calls `listener` soon and then once per interval, until disposed. `target` is asked each time, because PID and
   * networks change with restarts; undefined ends nothing, it gives zeros. A listener that throws is dropped.
   */
  subscribe(target: () => StatsTarget | undefined, listener: (stats: ContainerStats) => void): Disposable;
}

/** Containers read in one go before other work of the daemon gets its turn: about two milliseconds. */
const BATCH = 25;
const DEFAULT_INTERVAL_MS = 1000;

/** Of a container that does not run, and before the first sample. */
export const NO_SAMPLE: ContainerSample = {
  readAt: undefined,
  cpu: {
    totalNs: 0,
    perCpuNs: undefined,
    kernelNs: 0,
    userNs: 0,
    systemNs: 0,
    onlineCpus: 0,
    throttling: { periods: 0, throttledPeriods: 0, throttledNs: 0 },
  },
  memory: undefined,
  pids: undefined,
  blkio: { serviceBytes: undefined, serviced: undefined, others: undefined },
  networks: {},
};

export function createStatsSampler(options: StatsSamplerOptions): StatsSampler {
  return new CgroupSampler(options);
}

interface Subscription {
  readonly target: () => StatsTarget | undefined;
  readonly listener: (stats: ContainerStats) => void;
  previous: ContainerSample | undefined;
}

class CgroupSampler implements StatsSampler {
  readonly #cgroups: Pick<Cgroups, 'mode' | 'directory'>;
  readonly #intervalMs: number;
  readonly #readFile: (path: string) => string | undefined;
  readonly #logger: Logger;
  readonly #subscriptions = new Set<Subscription>();
  #machineMemory: number | undefined;
  #timer: Timer | undefined;
  #isTicking = false;

  constructor({ cgroups, intervalMs, readFile, logger }: StatsSamplerOptions) {
    this.#cgroups = cgroups;
    this.#intervalMs = intervalMs ?? DEFAULT_INTERVAL_MS;
    this.#readFile = readFile ?? readExisting;
    this.#logger = logger ?? silentLogger;
  }

  sample(target: StatsTarget): ContainerStats {
    return { ...this.#look(target), previous: undefined };
  }

  async measure(target: StatsTarget, signal?: AbortSignal): Promise<ContainerStats> {
    signal?.throwIfAborted();
    if (target.pid === undefined) return this.sample(target);
    const first = this.sample(target);
    if (first.readAt === undefined) return first;
    const { promise, resolve, reject } = Promise.withResolvers<ContainerStats>();
    const onAbort = (): void => reject(signal?.reason);
    signal?.addEventListener('abort', onAbort);
    const earliest = performance.now() + this.#intervalMs / 2;
    const subscription = this.subscribe(
      () => target,
      (stats) => {
        // The shared round may come too soon for a difference that says something.
        if (performance.now() >= earliest || stats.readAt === undefined)
          resolve({ ...stats, previous: first });
      },
    );
    try {
      return await promise;
    } finally {
      subscription[Symbol.dispose]();
      signal?.removeEventListener('abort', onAbort);
    }
  }

  subscribe(target: () => StatsTarget | undefined, listener: (stats: ContainerStats) => void): Disposable {
    const subscription: Subscription = { target, listener, previous: undefined };
    this.#subscriptions.add(subscription);
    // The shared timer brings it at the next round; the first one need not wait.
    if (this.#timer === undefined && !this.#isTicking) this.#schedule(0);
    return {
      [Symbol.dispose]: () => {
        this.#subscriptions.delete(subscription);
        if (this.#subscriptions.size > 0) return;
        clearTimeout(this.#timer);
        this.#timer = undefined;
      },
    };
  }

  #schedule(delayMs: number): void {
    this.#timer = setTimeout(() => void this.#tick(), delayMs);
    this.#timer.unref();
  }

  /** One round over all subscriptions. A container with several is read once. */
  async #tick(): Promise<void> {
    this.#timer = undefined;
    this.#isTicking = true;
    const started = performance.now();
    const round = new Map<string, ContainerSample>();
    for (const subscription of [...this.#subscriptions]) {
      if (!this.#subscriptions.has(subscription)) continue;
      this.#serve(subscription, round);
      if (round.size % BATCH === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    this.#isTicking = false;
    if (this.#subscriptions.size > 0)
      this.#schedule(Math.max(0, this.#intervalMs - (performance.now() - started)));
  }

  #serve(subscription: Subscription, round: Map<string, ContainerSample>): void {
    let sample: ContainerSample;
    try {
      const target = subscription.target();
      sample = (target && round.get(target.id)) ?? this.#look(target);
      if (target) round.set(target.id, sample);
    } catch (error) {
      // No descriptors left, for one: the next round may do better.
      this.#logger.warn('statistics could not be read', { error: errorMessage(error) });
      return;
    }
    const { previous } = subscription;
    subscription.previous = sample;
    try {
      subscription.listener({ ...sample, previous });
    } catch (error) {
      this.#logger.warn('statistics could not be delivered', { error: errorMessage(error) });
      this.#subscriptions.delete(subscription);
    }
  }

  #look(target: StatsTarget | undefined): ContainerSample {
    if (target?.pid === undefined) return NO_SAMPLE;
    const stats = this.#readCgroup(target.cgroupPath);
    if (!stats) return NO_SAMPLE;
    const { cpu, memory, pids, blkio } = stats;
    return {
      readAt: new Date(),
      // The machine's figures at the same moment: clients divide one by the other.
      cpu: { ...cpu, ...parseProcStat(this.#readFile('/proc/stat')) },
      memory: memory && { ...memory, limit: Math.min(memory.limit, this.#memoryOfMachine()) },
      pids,
      blkio,
      networks: this.#networks(target.pid, target.interfaces),
    };
  }

  #readCgroup(path: string): CgroupStats | undefined {
    const directories = new Map<string, string | undefined>();
    const read: ReadControllerFile = (controller, file) => {
      if (!directories.has(controller))
        directories.set(controller, this.#cgroups.directory(controller, path));
      const directory = directories.get(controller);
      return directory === undefined ? undefined : this.#readFile(join(directory, file));
    };
    return this.#cgroups.mode === 'unified' ? readV2(read) : readV1(read);
  }

  #networks(pid: number, interfaces: readonly string[] | undefined): ContainerSample['networks'] {
    if (interfaces?.length === 0) return {};
    return parseNetDev(this.#readFile(`/proc/${pid}/net/dev`), interfaces);
  }

  #memoryOfMachine(): number {
    this.#machineMemory ??= parseMemTotal(this.#readFile('/proc/meminfo'));
    return this.#machineMemory;
  }
}

/** The container may end while it is looked at; which of these comes depends on the kind of file. */
const GONE = new Set(['ENOENT', 'ENOTDIR', 'ENODEV', 'ESRCH', 'EINVAL', 'EOPNOTSUPP']);

function readExisting(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (GONE.has(errnoCode(error) ?? '')) return undefined;
    throw error;
  }
}
