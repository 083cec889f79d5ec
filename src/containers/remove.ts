import { rm } from 'node:fs/promises';
import { errorMessage, internal, isNotFound } from '#base';
import { releaseRun } from './cleanup.ts';
import type { Engine } from './engine.ts';
import { cannotRemovePaused, cannotRemoveRunning, removalInProgress } from './errors.ts';
import type { ExecService } from './exec/exec-service.ts';
import type { Container } from './model.ts';
import { releaseVolumes } from './mounts/volumes.ts';
import { containerPaths } from './paths.ts';
import { exitCodeOf, isAlive, transition } from './state.ts';

/** How long a forced removal waits for the killed process before it cleans up without it. */
const KILL_WAIT_MS = 10_000;
const SIGKILL = 9;

export interface RemoveOptions {
  readonly force?: boolean;
  readonly volumes?: boolean;
}

/** Removes containers completely; what a crash interrupts is finished by `restore`. */
export class Remover {
  readonly #engine: Engine;
  readonly #execs: Pick<ExecService, 'forget'>;

  constructor(engine: Engine, execs: Pick<ExecService, 'forget'>) {
    this.#engine = engine;
    this.#execs = execs;
  }

  /** @throws docker's texts: `conflict` while it runs and is not forced, or is being removed by somebody else. */
  async remove(id: string, options: RemoveOptions = {}): Promise<void> {
    const container = this.#engine.registry.resolve(id);
    if (container.state.status === 'removing') throw removalInProgress(container.id);
    this.#checkStopped(container, options);
    if (options.force) await this.#kill(container);
    await this.#engine.locks.run(id, () => this.#removeLocked(id, options));
  }

  /** For `--rm`: quiet when somebody else removed it, or when it was started again in between. */
  async autoRemove(id: string): Promise<void> {
    await this.#engine.locks.run(id, () => this.autoRemoveLocked(id));
  }

  /** {@link autoRemove} for a caller that holds the lock. */
  async autoRemoveLocked(id: string): Promise<void> {
    const container = this.#engine.registry.byId(id);
    if (!container || isAlive(container.state)) return;
    await this.#removeLocked(id, { volumes: true });
  }

  #checkStopped({ name, state }: Container, { force }: RemoveOptions): void {
    if (force) return;
    if (state.status === 'paused') throw cannotRemovePaused(name);
    if (state.status === 'running' || state.status === 'restarting') {
      throw cannotRemoveRunning(name, state.status);
    }
  }

  async #kill(container: Container): Promise<void> {
    const { instances, registry } = this.#engine;
    const instance = instances.of(container.id);
    instance.backoff.cancel();
    registry.save({ ...(registry.byId(container.id) ?? container), manuallyStopped: true });
    const { task, runEnded } = instance;
    if (!task) return;
    if (container.state.status === 'paused') await task.resume().catch(() => {});
    await task.kill(SIGKILL).catch(() => {});
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, KILL_WAIT_MS);
    await Promise.race([runEnded, promise]);
    clearTimeout(timer);
  }

  async #removeLocked(id: string, options: RemoveOptions): Promise<void> {
    const { registry } = this.#engine;
    const container = registry.byId(id);
    // Somebody else, `--rm` for example, was quicker: what the caller wanted is done.
    if (!container) return;
    this.#checkStopped(container, options);
    const removing = container.state.status === 'removing' ? container : await this.#begin(container);
    try {
      await this.#erase(removing, options.volumes ?? false);
    } catch (error) {
      throw this.#fail(removing, error);
    }
  }

  /** From here on a crash leads to removal, not to a container without files. */
  async #begin(container: Container): Promise<Container> {
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
    const removing = { ...container, state: transition(state, { type: 'removal-started' }) };
    registry.save(removing);
    return removing;
  }

  async #erase(container: Container, removeVolumes: boolean): Promise<void> {
    const { registry, instances, snapshotter, volumes, events, dataRoot } = this.#engine;
    const { id } = container;
    await this.#engine.companions.forget(id);
    // The tree goes last: unmounting it while the kernel still takes the container's namespaces apart blocks.
    await Promise.all([
      releaseRun(this.#engine, id).then(() => snapshotter.removeSnapshot(id)),
      rm(containerPaths(dataRoot, id).directory, { recursive: true, force: true }),
      releaseVolumes(container.mounts, id, volumes, { removeAnonymous: removeVolumes }),
    ]);
    registry.delete(id);
    this.#execs.forget(id);
    const instance = instances.peek(id);
    events.publish(container, 'destroy');
    instance?.waiters.notifyRemoval({ exitCode: exitCodeOf(container.state) });
    instances.delete(id);
    await this.#collectOrphans(container);
  }

  /** Only the last container of an image that was forced away leaves layers behind: an ordinary removal sweeps nothing. */
  async #collectOrphans({ id, imageId }: Container): Promise<void> {
    const { images, logger } = this.#engine;
    try {
      images.get(imageId);
      return;
    } catch (error) {
      if (!isNotFound(error)) return;
    }
    // The container is gone either way; what stays is found by the next sweep.
    await images
      .collectGarbage()
      .catch((error) => logger.warn('layers not collected', { container: id, error: errorMessage(error) }));
  }

  #fail(container: Container, cause: unknown): Error {
    const error = `unable to remove filesystem: ${errorMessage(cause)}`;
    const at = new Date().toISOString();
    const state = transition(container.state, { type: 'removal-failed', at, error });
    this.#engine.registry.save({ ...container, state });
    return internal(`cannot remove container "/${container.name}": ${error}`, { cause });
  }
}
