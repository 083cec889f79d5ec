import { errorMessage, parseSignal, SIGNALS } from '#base';
import type { Task } from '#runtime';
import type { Engine } from './engine.ts';
import {
  alreadyPaused,
  alreadyStopped,
  cannotStop,
  isRestarting,
  noExitAfterKill,
  notPaused,
  notRunning,
  notTakenOver,
} from './errors.ts';
import type { Container } from './model.ts';
import { settledWithin } from './settled-within.ts';
import { isAlive, isDoomed, transition } from './state.ts';

export interface StopOptions {
  /** -1 waits for ever; undefined: the container's own, else the daemon's. */
  readonly timeoutS?: number;
  readonly signal?: string;
  /** False: the daemon stops it, so the policy starts it again at the next start of the daemon. Default true. */
  readonly byUser?: boolean;
}

/** How long a process may take to die of SIGKILL before the caller is told. */
const KILL_WAIT_MS = 10_000;

/** One run of a container's process. */
interface Run {
  readonly container: Container;
  readonly task: Task;
  readonly ended: Promise<void>;
}

/** Signals, stop, pause: everything that acts on a running process. */
export class Controller {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** @throws `conflict` when it does not run, `invalid_argument` for an unknown signal, `internal` when it does not die. */
  async kill(ref: string, signalText?: string): Promise<void> {
    const container = this.#engine.registry.resolve(ref);
    const signal = signalText ? parseSignal(signalText) : SIGNALS.KILL;
    const isForGood = signal === SIGNALS.KILL || signal === stopSignalOf(container);
    const run = await this.#takeRun(container, isForGood);
    if (!run) return;
    await this.#signal(run, signal);
    // As with docker, `kill` answers when a process that cannot refuse has gone.
    if (signal === SIGNALS.KILL) await this.#awaitDeath(run);
  }

  async #awaitDeath({ ended }: Run): Promise<void> {
    if (!(await settledWithin(ended, KILL_WAIT_MS))) throw noExitAfterKill();
  }

  /** A frozen process takes its signals when it thaws: as with docker, any signal lets it go on. */
  async #signal({ container, task }: Run, signal: number): Promise<void> {
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

  /** Stop signal, then SIGKILL after the timeout. @throws `not_modified` when it does not run, `internal` when it does not die. */
  async stop(ref: string, options: StopOptions = {}): Promise<void> {
    const container = this.#engine.registry.resolve(ref);
    const signal = options.signal ? parseSignal(options.signal) : stopSignalOf(container);
    if (!isAlive(container.state) && container.state.status !== 'restarting') throw alreadyStopped();
    const run = await this.#takeRun(container, options.byUser ?? true);
    const timeoutS = options.timeoutS ?? container.config.stopTimeoutS ?? this.#engine.defaults.stopTimeoutS;
    // The work goes on when the client that asked has gone: a half-stopped container helps nobody.
    if (run) await this.#end(run, signal, timeoutS).catch((error) => Promise.reject(cannotStop(ref, error)));
    this.#engine.events.publish(container, 'stop');
  }

  async #end(run: Run, signal: number, timeoutS: number): Promise<void> {
    await this.#signal(run, signal);
    if (await settledWithin(run.ended, timeoutS < 0 ? undefined : timeoutS * 1000)) return;
    await this.#signal(run, SIGNALS.KILL);
    await this.#awaitDeath(run);
  }

  /** A user's word: the policy is not to start the container again after this run. */
  #markStopped(id: string): void {
    const container = this.#engine.registry.byId(id);
    if (container && !container.manuallyStopped) this.#keep({ ...container, manuallyStopped: true });
  }

  /** A store that fails must not keep anybody from ending a container. */
  #keep(container: Container): void {
    const { registry, logger } = this.#engine;
    const unsaved = registry.record(container);
    if (unsaved)
      logger.warn('that a container was stopped by a user could not be stored', {
        ...{ container: container.id, error: errorMessage(unsaved) },
      });
  }

  /**
   * What there is to signal; undefined when that was a restart to come, which will not come any more. `isForGood`: nothing
   * is to follow it.
   */
  async #takeRun({ id, state }: Container, isForGood: boolean): Promise<Run | undefined> {
    if (state.status === 'restarting') return await this.#cancelRestart(id, isForGood);
    const run = this.#running(id);
    if (isForGood) this.#markStopped(id);
    return run;
  }

  /**
   * Ends the waiting for a restart. One that was under way has held the lock: what it started is answered, marked already if
   * nothing is to follow it; one that failed is not tried again.
   */
  async #cancelRestart(id: string, isForGood: boolean): Promise<Run | undefined> {
    const { registry, instances, locks, volumes } = this.#engine;
    // A restart may wait for the server of a volume, and hold the lock.
    using _ = volumes.giveUpMounts(id);
    return await locks.run(id, () => {
      const { backoff, waiters } = instances.of(id);
      backoff.cancel();
      const container = registry.byId(id);
      if (!container || isDoomed(container.state)) return undefined;
      const { state } = container;
      if (state.status !== 'restarting') {
        if (isForGood) this.#markStopped(id);
        return isAlive(state) ? this.#running(id) : undefined;
      }
      this.#keep({
        ...container,
        state: transition(state, { type: 'restart-canceled' }),
        manuallyStopped: true,
      });
      waiters.notifyExit({ exitCode: state.exitCode });
      return undefined;
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

  #running(ref: string): Run {
    const container = this.#engine.registry.resolve(ref);
    if (container.state.status === 'restarting') throw isRestarting(container.id);
    if (!isAlive(container.state)) throw notRunning(container.id);
    const instance = this.#engine.instances.peek(container.id);
    if (!instance?.task || !instance.runEnded) throw notTakenOver(container.id);
    return { container, task: instance.task, ended: instance.runEnded };
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
