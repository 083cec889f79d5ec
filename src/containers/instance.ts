import type { Task } from '#runtime';
import type { LogRotator } from './logs/rotator.ts';
import { RestartBackoff } from './restart-policy.ts';
import { StdioSession } from './stdio/session.ts';
import type { StartTrace } from './types.ts';
import { ExitWaiters } from './waiters.ts';

/** What belongs to a container in this process only: connections, timers, waiting clients. Never stored. */
export class Instance {
  readonly waiters = new ExitWaiters();
  readonly backoff = new RestartBackoff();
  /** IDs of execs that have not ended. */
  readonly execIds = new Set<string>();
  /** The process, while there is one. */
  task: Task | undefined;
  /** Streams of the present or next run. */
  session = new StdioSession();
  rotator: LogRotator | undefined;
  lastStartTrace: StartTrace | undefined;
  /** A user's restart is under way: the end of this run is followed by that start, by nothing else. */
  isRestarting = false;
  #run = Promise.withResolvers<void>();
  readonly #interruptible = new Set<AbortController>();

  /** Settles when the present run is over and its log complete; undefined when there is none. */
  get runEnded(): Promise<void> | undefined {
    return this.task ? this.#run.promise : undefined;
  }

  /**
   * Runs what somebody else may hold up for as long as they like (a client that sends, a server that is dead), while the
   * container's lock is held: {@link interrupt} aborts the signal.
   */
  async untilInterrupted<T>(action: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    this.#interruptible.add(controller);
    try {
      return await action(controller.signal);
    } finally {
      this.#interruptible.delete(controller);
    }
  }

  /** A removal by force does not wait. */
  interrupt(reason: Error): void {
    for (const controller of this.#interruptible) controller.abort(reason);
  }

  /** A run begins. */
  beginRun(task: Task): void {
    this.task = task;
    this.#run = Promise.withResolvers();
  }

  /** The run is over, or failed to begin: attached clients get their end, the next ones a new session. */
  endRun(): void {
    this.task = undefined;
    this.session.end();
    this.session = new StdioSession();
    this.#run.resolve();
  }
}

/** The instances of all containers, made on first use. */
export class Instances {
  readonly #instances = new Map<string, Instance>();

  of(id: string): Instance {
    const existing = this.#instances.get(id);
    if (existing) return existing;
    const instance = new Instance();
    this.#instances.set(id, instance);
    return instance;
  }

  /** Only if there is one: for readers, which must not make any. */
  peek(id: string): Instance | undefined {
    return this.#instances.get(id);
  }

  delete(id: string): void {
    const instance = this.#instances.get(id);
    instance?.backoff.cancel();
    instance?.session.end();
    this.#instances.delete(id);
  }

  all(): Instance[] {
    return [...this.#instances.values()];
  }
}
