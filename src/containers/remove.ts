import { rm } from 'node:fs/promises';
import { errorMessage, internal, isNotFound, settleAll } from '#base';
import { releaseRun } from './cleanup.ts';
import type { Controller } from './control.ts';
import type { Engine } from './engine.ts';
import { cannotRemovePaused, cannotRemoveRunning, removalInProgress, removedByForce } from './errors.ts';
import type { ExecService } from './exec/exec-service.ts';
import type { Container } from './model.ts';
import { imageKeys } from './mounts/run-mounts.ts';
import { releaseVolumes } from './mounts/volumes.ts';
import { containerPaths } from './paths.ts';
import { PATIENCE, RemovalRetries } from './removal-retries.ts';
import { exitCodeOf, isAlive, isDoomed, transition } from './state.ts';

export interface RemoverParts {
  readonly execs: Pick<ExecService, 'forget'>;
  /** Gives up on a process that does not die: it is cleaned up without it then. */
  readonly controller: Pick<Controller, 'kill'>;
}

export interface RemoveOptions {
  readonly force?: boolean;
  readonly volumes?: boolean;
  /** The reference names a link, `container/alias`: only that goes. */
  readonly link?: boolean;
}

/** Removes containers completely; what fails or is interrupted by a crash is tried again, also by `restore`. */
export class Remover {
  readonly #engine: Engine;
  readonly #parts: RemoverParts;
  readonly #retries: RemovalRetries;

  constructor(engine: Engine, parts: RemoverParts) {
    this.#engine = engine;
    this.#parts = parts;
    this.#retries = new RemovalRetries(engine);
  }

  /**
   * @throws docker's texts: `conflict` while it runs and is not forced, or is being removed by somebody else; `internal`
   * when the removal goes on failing. Then it is dead, and the removal is tried on in the background.
   */
  async remove(id: string, options: RemoveOptions = {}): Promise<void> {
    const container = this.#engine.registry.resolve(id);
    if (container.state.status === 'removing') throw removalInProgress(container.id);
    this.#checkStopped(container, options);
    // A server that does not answer would hold it up, and with it the lock.
    using _ = options.force ? this.#engine.volumes.giveUpMounts(container.id) : undefined;
    if (options.force) await this.#kill(container);
    const isDone = await this.#engine.locks.run(id, () => this.#removeLocked(id, options));
    const failure = isDone ? undefined : await this.#retries.outcome(id);
    if (failure) throw failure;
  }

  /** For `--rm`: quiet when somebody else removed it, or when it was started again in between. */
  async autoRemove(id: string): Promise<void> {
    await this.#engine.locks.run(id, () => this.autoRemoveLocked(id));
  }

  /** {@link autoRemove} for a caller that holds the lock. A removal that fails is tried again later, without it. */
  async autoRemoveLocked(id: string): Promise<void> {
    const container = this.#engine.registry.byId(id);
    if (!container || isAlive(container.state)) return;
    const { state } = container;
    const volumes = isDoomed(state) ? (state.removesVolumes ?? false) : true;
    await this.#removeLocked(id, { volumes });
  }

  /** Whether a removal that failed will be tried again by itself. */
  isRetrying(id: string): boolean {
    return this.#retries.isPending(id);
  }

  /** The daemon ends: what is left is removed at its next start. */
  async close(): Promise<void> {
    await this.#retries.close();
  }

  #checkStopped({ name, state }: Container, { force }: RemoveOptions): void {
    if (force) return;
    if (state.status === 'paused') throw cannotRemovePaused(name);
    if (state.status === 'running' || state.status === 'restarting') {
      throw cannotRemoveRunning(name, state.status);
    }
  }

  /** What cannot be killed, because it does not run for example, does not keep the rest from going. */
  async #kill({ id }: Container): Promise<void> {
    const { instances, logger } = this.#engine;
    instances.of(id).interrupt(removedByForce());
    try {
      await this.#parts.controller.kill(id);
    } catch (error) {
      logger.debug('removed without a kill', { container: id, error: errorMessage(error) });
    }
  }

  /** Whether it is done. If not, further attempts are on their way. */
  async #removeLocked(id: string, options: RemoveOptions): Promise<boolean> {
    const container = this.#engine.registry.byId(id);
    // Somebody else, `--rm` for example, was quicker: what the caller wanted is done.
    if (!container) return true;
    this.#checkStopped(container, options);
    this.#retries.cancel(id);
    const failure = await this.#attempt(container, options, { mayLeave: false });
    if (!failure) return true;
    this.#retries.begin(id, failure, {
      attempt: (attempts) =>
        this.#engine.locks.run(id, () => this.#again(id, { mayLeave: attempts + 1 >= PATIENCE })),
      tell: () => this.#tell(id),
    });
    return false;
  }

  async #again(id: string, options: { readonly mayLeave: boolean }): Promise<Error | undefined> {
    const container = this.#engine.registry.byId(id);
    if (!container || isAlive(container.state)) return undefined;
    const { state } = container;
    const volumes = isDoomed(state) ? (state.removesVolumes ?? false) : container.hostConfig.autoRemove;
    return await this.#attempt(container, { volumes }, options);
  }

  /** Why it failed; undefined when the container is gone. */
  async #attempt(
    container: Container,
    options: RemoveOptions,
    erasing: { readonly mayLeave: boolean },
  ): Promise<Error | undefined> {
    try {
      await this.#erase(this.#begin(container, options.volumes ?? false), erasing);
      return undefined;
    } catch (error) {
      return this.#fail(container, error);
    }
  }

  /** From here on a crash leads to removal, not to a container without files. */
  #begin(container: Container, volumes: boolean): Container {
    const { registry, companions } = this.#engine;
    if (isAlive(container.state)) companions.end(container.id);
    const state = isAlive(container.state)
      ? transition(container.state, {
          type: 'exited',
          exitCode: 137,
          finishedAt: new Date().toISOString(),
          oomKilled: false,
        })
      : container.state;
    if (state.status === 'removing') return container;
    const removesVolumes = volumes || (state.status === 'dead' && (state.removesVolumes ?? false));
    const removing = { ...container, state: transition(state, { type: 'removal-started', removesVolumes }) };
    registry.save(removing);
    return removing;
  }

  /** `mayLeave`: a run that cannot be given back (what it holds is found at the next start) does not keep the rest. */
  async #erase(container: Container, { mayLeave }: { readonly mayLeave: boolean }): Promise<void> {
    const { registry, instances, snapshotter, volumes, events, dataRoot } = this.#engine;
    const { id, state } = container;
    const removeAnonymous = isDoomed(state) && (state.removesVolumes ?? false);
    await this.#engine.companions.forget(id);
    // The tree goes last: unmounting it while the kernel still takes the container's namespaces apart blocks.
    await settleAll([
      this.#release(id, mayLeave).then(() =>
        Promise.all([id, ...imageKeys(container.mounts)].map((key) => snapshotter.removeSnapshot(key))),
      ),
      rm(containerPaths(dataRoot, id).directory, { recursive: true, force: true }),
      releaseVolumes(container.mounts, id, volumes, { removeAnonymous }),
    ]);
    registry.delete(id);
    this.#parts.execs.forget(id);
    const instance = instances.peek(id);
    events.publish(container, 'destroy');
    instance?.waiters.notifyRemoval({ exitCode: exitCodeOf(state) });
    instances.delete(id);
    await this.#collectOrphans(container);
  }

  async #release(id: string, mayLeave: boolean): Promise<void> {
    const [failure] = await releaseRun(this.#engine, id);
    if (failure !== undefined && !mayLeave) throw internal(failure);
  }

  /** Only the last container of an image that was forced away leaves layers behind: an ordinary removal sweeps nothing. */
  async #collectOrphans({ id, imageId, mounts }: Container): Promise<void> {
    const { images, logger } = this.#engine;
    try {
      for (const used of [imageId, ...mounts.flatMap(({ image }) => image?.id ?? [])]) images.get(used);
      return;
    } catch (error) {
      if (!isNotFound(error)) return;
    }
    // The container is gone either way; what stays is found by the next sweep.
    await images
      .collectGarbage()
      .catch((error) => logger.warn('layers not collected', { container: id, error: errorMessage(error) }));
  }

  #fail({ id, name }: Container, cause: unknown): Error {
    const { registry, logger } = this.#engine;
    const error = `unable to remove filesystem: ${errorMessage(cause)}`;
    const now = registry.byId(id);
    // It may also have failed before it began; then the container is what it was.
    if (now?.state.status === 'removing') {
      const state = transition(now.state, { type: 'removal-failed', error });
      const unsaved = registry.record({ ...now, state });
      if (unsaved)
        logger.warn('a failed removal could not be stored', { container: id, error: errorMessage(unsaved) });
    }
    return internal(`cannot remove container "/${name}": ${error}`, { cause });
  }

  /** The truth for those who wait: it has ended, and is still there. */
  #tell(id: string): void {
    const { registry, instances } = this.#engine;
    const state = registry.byId(id)?.state;
    if (!state) return;
    const error = state.status === 'dead' ? state.error : 'the removal could not begin';
    instances.peek(id)?.waiters.notifyRemoval({ exitCode: exitCodeOf(state), error });
  }
}
