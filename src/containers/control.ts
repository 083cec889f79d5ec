import { parseSignal, SIGNALS } from '#base';
import type { Task } from '#runtime';
import type { Engine } from './engine.ts';
import {
  alreadyPaused,
  alreadyStopped,
  isRestarting,
  notPaused,
  notRunning,
  notTakenOver,
} from './errors.ts';
import type { Container } from './model.ts';
import { settledWithin } from './settled-within.ts';
import { isAlive, transition } from './state.ts';

export interface StopOptions {
  /** -1 waits for ever; undefined: the container's own, else the daemon's. */
  readonly timeoutS?: number;
  readonly signal?: string;
  /** False: the daemon stops it, so the policy starts it again at the next start of the daemon. Default true. */
  readonly byUser?: boolean;
}

/** How long a process may take to die of SIGKILL before the caller is told. */
const KILL_WAIT_MS = 10_000;

/** Signals, stop, pause: everything that acts on a running process. */
export class Controller {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** @throws `conflict` when it does not run, `invalid_argument` for an unknown signal. */
  async kill(ref: string, signalText?: string): Promise<void> {
    const container = this.#engine.registry.resolve(ref);
    const signal = signalText ? parseSignal(signalText) : SIGNALS.KILL;
    if (container.state.status === 'restarting') return await this.#cancelRestart(container.id);
    const task = this.#engine.instances.peek(container.id)?.task;
    if (!isAlive(container.state)) throw notRunning(container.id);
    if (!task) throw notTakenOver(container.id);
    const ends = signal === SIGNALS.KILL || signal === stopSignalOf(container);
    if (ends) this.#markStopped(container.id);
    const ended = ends ? this.#engine.instances.of(container.id).runEnded : undefined;
    await this.#signal(container, task, signal);
    // As with docker, `kill` answers when a process that cannot refuse has gone.
    if (signal === SIGNALS.KILL && ended) await settledWithin(ended, KILL_WAIT_MS);
  }

  /** A frozen process takes its signals when it thaws: as with docker, any signal lets it go on. */
  async #signal(container: Container, task: Task, signal: number): Promise<void> {
    const wasSent = await task.kill(signal);
    if (!wasSent) return;
    this.#engine.events.publish(container, 'kill', { signal: String(signal) });
    if (container.state.status === 'paused') await this.#thaw(container.id, task);
  }

  async #thaw(id: string, task: Task): Promise<void> {
    await this.#engine.locks.run(id, async () => {
      const container = this.#engine.registry.byId(id);
      // It may have ended, or been let go by somebody else.
      if (container?.state.status !== 'paused') return;
      await task.resume().catch(() => {});
      this.#resumed(container);
    });
  }

  #resumed(container: Container): void {
    this.#record(container.id, { type: 'unpaused' });
    this.#engine.companions.resume(container.id);
    this.#engine.events.publish(container, 'unpause');
  }

  /** Stop signal, then SIGKILL after the timeout. @throws `not_modified` when it does not run. */
  async stop(ref: string, options: StopOptions = {}): Promise<void> {
    const container = this.#engine.registry.resolve(ref);
    const signal = options.signal ? parseSignal(options.signal) : stopSignalOf(container);
    if (container.state.status === 'restarting') {
      await this.#cancelRestart(container.id);
      this.#engine.events.publish(container, 'stop');
      return;
    }
    const instance = this.#engine.instances.peek(container.id);
    const ended = instance?.runEnded;
    if (!isAlive(container.state)) throw alreadyStopped();
    if (!instance?.task || !ended) throw notTakenOver(container.id);
    if (options.byUser ?? true) this.#markStopped(container.id);
    // The work goes on when the client that asked has gone: a half-stopped container helps nobody.
    await this.#signal(container, instance.task, signal);
    const timeoutS = options.timeoutS ?? container.config.stopTimeoutS ?? this.#engine.defaults.stopTimeoutS;
    if (!(await settledWithin(ended, timeoutS < 0 ? undefined : timeoutS * 1000))) {
      await this.#signal(container, instance.task, SIGNALS.KILL);
      await ended;
    }
    this.#engine.events.publish(container, 'stop');
  }

  /** A user's word: the policy is not to start the container again after this run. */
  #markStopped(id: string): void {
    const { registry } = this.#engine;
    const container = registry.byId(id);
    if (container && !container.manuallyStopped) registry.save({ ...container, manuallyStopped: true });
  }

  async #cancelRestart(id: string): Promise<void> {
    const { registry, instances, locks } = this.#engine;
    await locks.run(id, () => {
      instances.of(id).backoff.cancel();
      const container = registry.byId(id);
      if (container?.state.status !== 'restarting') return;
      const state = transition(container.state, { type: 'restart-canceled' });
      registry.save({ ...container, state, manuallyStopped: true });
    });
  }

  async pause(ref: string): Promise<void> {
    const { id } = this.#engine.registry.resolve(ref);
    await this.#engine.locks.run(id, async () => {
      const { container, task } = this.#running(ref);
      if (container.state.status === 'paused') throw alreadyPaused(id);
      await task.pause();
      this.#record(id, { type: 'paused' });
      this.#engine.companions.pause(id);
      this.#engine.events.publish(container, 'pause');
    });
  }

  async unpause(ref: string): Promise<void> {
    const { id } = this.#engine.registry.resolve(ref);
    await this.#engine.locks.run(id, async () => {
      const container = this.#engine.registry.resolve(ref);
      if (container.state.status !== 'paused') throw notPaused(id);
      const { task } = this.#running(ref);
      await task.resume();
      this.#resumed(container);
    });
  }

  #running(ref: string): { container: Container; task: Task } {
    const container = this.#engine.registry.resolve(ref);
    if (container.state.status === 'restarting') throw isRestarting(container.id);
    const task = this.#engine.instances.peek(container.id)?.task;
    if (!isAlive(container.state)) throw notRunning(container.id);
    if (!task) throw notTakenOver(container.id);
    return { container, task };
  }

  /** It has happened, also when it cannot be stored: a successor asks the kernel. */
  #record(id: string, event: { readonly type: 'paused' | 'unpaused' }): void {
    const { registry } = this.#engine;
    const container = registry.byId(id);
    if (container) registry.record({ ...container, state: transition(container.state, event) });
  }
}

/** The signal of `stop`. An image may carry one that cannot be parsed: TERM then. */
export function stopSignalOf({ config: { stopSignal } }: Container): number {
  if (!stopSignal) return SIGNALS.TERM;
  try {
    return parseSignal(stopSignal);
  } catch {
    return SIGNALS.TERM;
  }
}
