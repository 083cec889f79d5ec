import { errorMessage } from '#base';
import type { ExitStatus, Task } from '#runtime';
import type { WriteOptions } from '#store';
import { releaseRun } from './cleanup.ts';
import type { Engine } from './engine.ts';
import { restoreMissingLog } from './logs/missing-log.ts';
import type { Container } from './model.ts';
import { shouldRestart } from './restart-policy.ts';
import { isAlive, startedAtOf, transition } from './state.ts';
import { unknownExit, unknownExitAttributes } from './unknown-exit.ts';

/** How long the last output may take after the process has ended. */
const DRAIN_MS = 2000;

/** What follows an exit; implemented by the parts that start and remove. */
export interface ExitFollowUp {
  /** Starts the container again by its policy. */
  restart(id: string): Promise<void>;
  /** Releases the run of a `--rm` container and removes it. The caller holds the lock. */
  autoRemoveLocked(id: string): Promise<void>;
}

/** Handles the end of runs: state, clean-up, events, waiting clients, restart or removal. */
export class ExitHandler {
  readonly #engine: Engine;
  readonly #followUp: ExitFollowUp;
  readonly #pending = new Set<Promise<void>>();
  #isShuttingDown = false;

  constructor(engine: Engine, followUp: ExitFollowUp) {
    this.#engine = engine;
    this.#followUp = followUp;
  }

  /** From now on no container is restarted. */
  shutdown(): void {
    this.#isShuttingDown = true;
  }

  /** Waits until the exits known so far are handled. */
  async settle(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  /** Handles the task's end when it comes. */
  watch(id: string, task: Task): void {
    const handled = task.exited
      .then((status) => this.#handle(id, task, status))
      .catch((error) => {
        this.#engine.logger.error('exit not handled', { container: id, error: errorMessage(error) });
      })
      .finally(() => this.#pending.delete(handled));
    // Only runs that have ended are pending; a running one may go on for years.
    void task.exited.then(() => this.#pending.add(handled));
  }

  async #handle(id: string, task: Task, status: ExitStatus): Promise<void> {
    await this.#engine.locks.run(id, async () => {
      try {
        await this.#endRun(id, task, status);
      } finally {
        this.#assureEnded(id, task, status);
      }
    });
  }

  /** Whatever went wrong: a process that has ended is no running container, and nobody waits for its end. */
  #assureEnded(id: string, task: Task, status: ExitStatus): void {
    const { registry, instances } = this.#engine;
    const instance = instances.peek(id);
    const container = registry.byId(id);
    if (instance?.task !== task || !container) return;
    if (isAlive(container.state)) this.#record(endedContainer(container, status, false));
    instance.endRun();
    instance.waiters.notifyExit({ exitCode: status.exitCode });
  }

  /** An end that cannot be stored has happened all the same. */
  #record(container: Container, options?: WriteOptions): void {
    const error = this.#engine.registry.record(container, options);
    if (error) this.#warnUnstored(container, error);
  }

  /** For the next daemon only: the row is not to be seen yet. Whether it is stored. */
  #persist(container: Container): boolean {
    try {
      this.#engine.registry.persist(container);
      return true;
    } catch (error) {
      this.#warnUnstored(container, error);
      return false;
    }
  }

  #warnUnstored({ id }: Container, error: unknown): void {
    const { logger } = this.#engine;
    logger.warn('the end of a run could not be stored', { container: id, error: errorMessage(error) });
  }

  async #endRun(id: string, task: Task, status: ExitStatus): Promise<void> {
    const { registry, instances, events, companions } = this.#engine;
    const instance = instances.of(id);
    const before = registry.byId(id);
    if (!before || instance.task !== task || !isAlive(before.state)) return;
    companions.end(id);
    const sandbox = this.#engine.network.sandbox(id);
    await instance.session.drain(DRAIN_MS);
    const isAutoRemoved = before.hostConfig.autoRemove && !instance.isRestarting;
    // Removal releases the run as well, all at once: that is what the client of `run --rm` waits for.
    let isStored = false;
    if (!isAutoRemoved) {
      // The release drops the runtime's record of the exit code: a daemon that dies meanwhile must find it in the row.
      isStored = this.#persist(endedContainer(before, status, false));
      await releaseRun(this.#engine, id);
      restoreMissingLog(before, this.#engine.logger);
    }
    // Read again: a stop may have marked the container meanwhile.
    const container = registry.byId(id) ?? before;
    const runMs = Math.max(0, Date.parse(status.exitedAt) - Date.parse(startedAtOf(container.state)));
    const restarts = !instance.isRestarting && this.#restarts(container, status.exitCode);
    const ended = endedContainer(container, status, restarts);
    // The row of a `--rm` container goes right away; until then its exit code is in the runtime's files.
    if (isAutoRemoved) registry.publish(ended);
    // Stored before, the row has the end already; that a restart is due follows from the policy.
    else this.#record(ended, { durability: isStored ? 'ordered' : 'synced' });
    instance.endRun();
    const isTold = isAlive(container.state) && container.state.oomKilled;
    if (status.oomKilled && !isTold) events.publish(ended, 'oom');
    events.publish(ended, 'die', {
      exitCode: String(status.exitCode),
      execDuration: String(Math.floor(runMs / 1000)),
      ...unknownExitAttributes(status.unknownReason),
    });
    events.publishGivenBack(ended, sandbox);
    if (restarts) this.#scheduleRestart(id, instance.backoff.nextDelayMs(runMs));
    instance.waiters.notifyExit({ exitCode: status.exitCode });
    if (isAutoRemoved) await this.#followUp.autoRemoveLocked(id);
  }

  #restarts({ hostConfig, manuallyStopped, restartCount }: Container, exitCode: number): boolean {
    if (this.#isShuttingDown) return false;
    return shouldRestart(hostConfig.restartPolicy, { exitCode, manuallyStopped, restartCount });
  }

  #scheduleRestart(id: string, delayMs: number): void {
    this.#engine.instances.of(id).backoff.schedule(delayMs, () => {
      const done = this.#restart(id).finally(() => this.#pending.delete(done));
      this.#pending.add(done);
    });
  }

  /** A start that fails counts like a run that failed: the policy decides about the next try. */
  async #restart(id: string): Promise<void> {
    try {
      await this.#followUp.restart(id);
    } catch (error) {
      const { logger, locks } = this.#engine;
      logger.warn('restart failed', { container: id, error: errorMessage(error) });
      await locks.run(id, () => this.afterFailedStart(id));
    }
  }

  /** Goes on by the policy after a failed start that no user asked for. The caller holds the lock. */
  afterFailedStart(id: string): void {
    const { registry, instances } = this.#engine;
    const container = registry.byId(id);
    if (container?.state.status !== 'exited') return;
    const { exitCode, finishedAt } = container.state;
    const { backoff, waiters } = instances.of(id);
    if (!this.#restarts(container, exitCode)) {
      waiters.notifyExit({ exitCode });
      return;
    }
    this.#record({
      ...container,
      restartCount: container.restartCount + 1,
      state: transition(container.state, { type: 'will-restart', exitCode, finishedAt }),
    });
    this.#scheduleRestart(id, backoff.nextDelayMs(0));
  }
}

function endedContainer(container: Container, status: ExitStatus, restarts: boolean): Container {
  const { exitCode, exitedAt: finishedAt, oomKilled, unknownReason } = status;
  const facts = {
    exitCode,
    finishedAt,
    ...(unknownReason === undefined ? {} : { error: unknownExit(unknownReason) }),
  };
  if (restarts) {
    const state = transition(container.state, { type: 'will-restart', ...facts });
    return { ...container, state, restartCount: container.restartCount + 1 };
  }
  const state = transition(container.state, { type: 'exited', ...facts, oomKilled });
  return { ...container, state };
}
