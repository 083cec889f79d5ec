import { mkdirSync } from 'node:fs';
import { errorMessage, GantryError, internal, originOf } from '#base';
import { mappedRoot, type Spec } from '#oci';
import { buildSpec, type Task } from '#runtime';
import { applyBlockWeights } from '../block-weights.ts';
import { releaseRun } from '../cleanup.ts';
import { effectiveLogging } from '../create/log-config.ts';
import { injectDevices } from '../devices/inject.ts';
import type { Engine } from '../engine.ts';
import { alreadyStarted, cannotStartPaused, markedForRemoval } from '../errors.ts';
import type { ExitHandler } from '../exit.ts';
import { healthCheckOf, initialHealth } from '../health/index.ts';
import type { Instance } from '../instance.ts';
import { LogRotator } from '../logs/rotator.ts';
import type { Container, ContainerState } from '../model.ts';
import { relabelSources } from '../mounts/relabel.ts';
import { mountSources, unmountSources } from '../mounts/run-mounts.ts';
import { checkSubpaths } from '../mounts/subpaths.ts';
import { containerPaths } from '../paths.ts';
import { transition } from '../state.ts';
import { writeNetworkFiles } from './network-files.ts';
import { networkDonor, openSandbox } from './sandbox.ts';
import { specInput } from './spec-input.ts';
import { PhaseTrace, traceAttributes } from './trace.ts';
import { openUserNamespace } from './user-namespace.ts';

const UNKNOWN_FAILURE = 128;

/** Turns a container that does not run into one that does, or leaves it as it was. */
export class Starter {
  readonly #engine: Engine;
  readonly #exits: Pick<ExitHandler, 'watch'>;

  constructor(engine: Engine, exits: Pick<ExitHandler, 'watch'>) {
    this.#engine = engine;
    this.#exits = exits;
  }

  /**
   * Starts the container; the caller holds its lock. On failure everything is undone, state and exit code say why.
   * `isUser` tells a start by a user from a restart by policy.
   * @throws docker's texts, `not_modified` when it runs already.
   */
  async start(id: string, options: { readonly isUser: boolean }): Promise<void> {
    const container = this.#startable(id);
    const instance = this.#engine.instances.of(id);
    if (options.isUser) instance.backoff.reset();
    const trace = new PhaseTrace();
    try {
      await this.#run(container, instance, trace, options.isUser);
    } catch (thrown) {
      const error = originOf(thrown);
      if (error !== thrown) await this.#undoAgain(id, thrown);
      throw this.#fail(container, instance, error);
    }
  }

  #startable(id: string): Container {
    const container = this.#engine.registry.resolve(id);
    const { status } = container.state;
    if (status === 'paused') throw cannotStartPaused();
    if (status === 'running') throw alreadyStarted();
    if (status === 'removing' || status === 'dead') throw markedForRemoval();
    return container;
  }

  async #run(container: Container, instance: Instance, trace: PhaseTrace, isUser: boolean): Promise<void> {
    await using undo = new AsyncDisposableStack();
    const task = await this.#createTask(container, trace, undo);
    instance.beginRun(task);
    // Without a client there is nothing to carry, and the end of a connection could close the process's stdin.
    if (instance.session.clientCount > 0) {
      await trace.measure('attach', () => instance.session.connect(task));
    }
    await trace.measure('start', () => task.start());
    const running = this.#store(container, task, isUser);
    undo.move();
    this.#publish(running, instance, task, trace);
  }

  /** Mounts, network and the waiting init process. */
  async #createTask(container: Container, trace: PhaseTrace, undo: AsyncDisposableStack): Promise<Task> {
    const { snapshotter } = this.#engine;
    // Needed until the container has joined it.
    using user = trace.sync('rootfs', () => openUserNamespace(this.#engine, container));
    // The network is made in a Worker, while this thread mounts: both must have ended before either is undone.
    const sandboxReady = trace.measure('network', () =>
      openSandbox(this.#engine, container, undo, user.netnsFrom),
    );
    await using _settled = { [Symbol.asyncDispose]: async () => void (await sandboxReady.catch(() => {})) };
    undo.defer(() => void snapshotter.unmount(container.id));
    undo.defer(async () => void (await sandboxReady.catch(() => {})));
    const rootfs = trace.sync('rootfs', () => snapshotter.mount(container.id));
    await trace.measure('files', () => this.#prepareMounts(container, undo));
    const sandbox = await sandboxReady;
    const own = withDonorFiles(container, networkDonor(this.#engine, container));
    if (own === container) {
      trace.sync('files', () => writeNetworkFiles(this.#engine, container, sandbox));
    }
    const shallowReadOnly = await this.#whyShallow(container);
    const parts = { rootfs, netnsPath: sandbox.netnsPath, userPath: user.userPath, shallowReadOnly };
    const spec = trace.sync('spec', () => asSystemError(() => this.#spec(own, parts)));
    const task = await trace.measure('create', () =>
      this.#engine.runtime.create({
        id: container.id,
        ...(container.hostConfig.runtime ? { runtime: container.hostConfig.runtime } : {}),
        spec,
        terminal: container.config.tty,
        openStdin: container.config.openStdin,
        stdinOnce: container.config.stdinOnce,
        logPath: container.logPath === '' ? undefined : container.logPath,
      }),
    );
    undo.defer(() => this.#engine.runtime.delete(container.id));
    asSystemError(() => checkSubpaths(this.#engine.sys.files, task.pid, container.mounts));
    applyBlockWeights(this.#engine, container);
    return task;
  }

  /** Asked only for a container with something to protect. */
  async #whyShallow({ mounts, hostConfig }: Container): Promise<string | undefined> {
    if (mounts.every(({ rw }) => rw)) return undefined;
    return await this.#engine.runtime.whyNoRecursiveReadOnly(hostConfig.runtime || undefined);
  }

  #spec(container: Container, parts: Parameters<typeof specInput>[2]): Spec {
    const input = specInput(this.#engine, container, parts);
    relabelSources(this.#engine.sys, container);
    return buildSpec(injectDevices(this.#engine, container, input), this.#engine.host.spec);
  }

  async #prepareMounts(container: Container, undo: AsyncDisposableStack): Promise<void> {
    const { sys, dataRoot } = this.#engine;
    if (container.hostConfig.ipcMode === 'shareable') {
      const { shm } = containerPaths(dataRoot, container.id);
      mkdirSync(shm, { recursive: true, mode: 0o700 });
      sys.mounts.mount({
        source: 'shm',
        target: shm,
        fstype: 'tmpfs',
        data: `mode=1777,size=${container.hostConfig.shmSize}${tmpfsOwner(container)}${tmpfsLabel(container)}`,
      });
      undo.defer(() => sys.mounts.unmount(shm, { detach: true }));
    }
    undo.defer(() => unmountSources(this.#engine, container));
    await mountSources(this.#engine, container);
  }

  /** A process whose row cannot be stored would be unknown to the next daemon: it is undone. */
  #store(container: Container, task: Task, isUser: boolean): Container {
    const startedAt = new Date().toISOString();
    const running: Container = {
      ...container,
      state: startedState(container, task.pid, startedAt),
      manuallyStopped: false,
      restartCount: isUser ? 0 : container.restartCount,
    };
    this.#engine.registry.save(running);
    return running;
  }

  #publish(running: Container, instance: Instance, task: Task, trace: PhaseTrace): void {
    this.#exits.watch(running.id, task);
    instance.lastStartTrace = trace.finish();
    instance.rotator = startRotation(this.#engine, running, task);
    this.#engine.companions.begin(running, task);
    this.#engine.events.publishTaken(running, this.#engine.network.sandbox(running.id));
    this.#engine.events.publish(running, 'start', traceAttributes(instance.lastStartTrace));
  }

  /** What could not be undone must not keep the next start from succeeding. */
  async #undoAgain(id: string, thrown: unknown): Promise<void> {
    const failure = thrown instanceof Error && 'error' in thrown ? thrown.error : undefined;
    this.#engine.logger.warn('a failed start could not be undone at once', {
      container: id,
      error: errorMessage(failure),
    });
    await releaseRun(this.#engine, id);
  }

  #fail(container: Container, instance: Instance, error: unknown): GantryError {
    const known = error instanceof GantryError ? error : internal(errorMessage(error), { cause: error });
    const given = known.details?.['exitCode'];
    const exitCode = typeof given === 'number' ? given : UNKNOWN_FAILURE;
    instance.endRun();
    // The row may be what could not be stored: the first error is the one to tell.
    this.#engine.registry.record({
      ...container,
      state: transition(container.state, {
        type: 'start-failed',
        at: new Date().toISOString(),
        exitCode,
        error: known.message,
      }),
    });
    return known;
  }
}

/**
 * What is wrong with a container that was accepted is no mistake of the request that starts it: docker answers 500.
 * Source: moby `daemon/start.go`.
 */
function asSystemError<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw internal(errorMessage(error), { cause: error });
  }
}

function startedState({ state, config }: Container, pid: number, startedAt: string): ContainerState {
  const started = transition(state, { type: 'started', pid, startedAt });
  if (!healthCheckOf(config)) return started;
  return transition(started, { type: 'health-changed', health: initialHealth() });
}

/** Options that make a tmpfs the container's root's. */
function tmpfsOwner({ idMappings }: Container): string {
  if (!idMappings) return '';
  const { uid, gid } = mappedRoot(idMappings);
  return `,uid=${uid},gid=${gid}`;
}

const tmpfsLabel = ({ mountLabel }: Container): string => (mountLabel ? `,context="${mountLabel}"` : '');

/** A container in another one's network sees that one's names. */
const withDonorFiles = (container: Container, donor: Container | undefined): Container =>
  donor
    ? {
        ...container,
        hostnamePath: donor.hostnamePath,
        hostsPath: donor.hostsPath,
        resolvConfPath: donor.resolvConfPath,
      }
    : container;

/** Keeps the log of a running container within its limits; undefined when it has none, or it cannot be watched. */
export function startRotation(engine: Engine, container: Container, task: Task): LogRotator | undefined {
  if (container.logPath === '') return undefined;
  const logger = engine.logger.child({ container: container.id });
  const guard = () => engine.forwarders.guard(container.id);
  try {
    const { rotation } = effectiveLogging(container.hostConfig.logConfig, engine.defaults).logging;
    if (rotation.maxBytes === undefined) return undefined;
    return new LogRotator({ ...rotation, path: container.logPath, task, guard, logger });
  } catch (error) {
    logger.warn('the log will not be rotated in this run', { error: errorMessage(error) });
    return undefined;
  }
}
