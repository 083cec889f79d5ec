import { readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage, Semaphore } from '#base';
import type { Task } from '#runtime';
import { Adopter } from './adopt.ts';
import { releaseRun } from './cleanup.ts';
import type { Engine } from './engine.ts';
import type { ExecService } from './exec/exec-service.ts';
import type { ExitHandler } from './exit.ts';
import { restoreMissingLog } from './logs/missing-log.ts';
import { ownerOf } from './lost-rows.ts';
import type { Container } from './model.ts';
import { settleVolumes } from './mounts/fill-volumes.ts';
import { imageKeys, volumesOf } from './mounts/run-mounts.ts';
import { containerPaths, containersDirectory } from './paths.ts';
import type { Remover } from './remove.ts';
import { shouldRestart } from './restart-policy.ts';
import type { Starter } from './start/starter.ts';
import { isAlive, isDoomed, transition } from './state.ts';
import { unknownExit, unknownExitAttributes } from './unknown-exit.ts';

/** The exit code of a process whose end nobody saw. */
const UNKNOWN_EXIT = 255;
const NOTHING_LEFT =
  'nothing was left of the run when the daemon started (power cut, or its runtime state was lost)';
/** Containers that start at the same time when the daemon starts. */
const PARALLEL_STARTS = 4;

export interface RestorerParts {
  readonly execs: Pick<ExecService, 'adopt'>;
  readonly exits: ExitHandler;
  readonly starter: Starter;
  readonly remover: Remover;
}

/** Brings rows, runtime, network and mounts into agreement after a daemon has ended in whatever way. */
export class Restorer {
  readonly #engine: Engine;
  readonly #parts: RestorerParts;
  readonly #adopter: Adopter;
  readonly #closing = new AbortController();
  readonly #background = new Set<Promise<void>>();

  constructor(engine: Engine, parts: RestorerParts) {
    this.#engine = engine;
    this.#parts = parts;
    this.#adopter = new Adopter(engine, parts);
  }

  /** When it returns everything that runs is adopted, as far as possible; the rest and restarts by policy go on in the background. */
  async run(): Promise<void> {
    const { registry, network, volumes } = this.#engine;
    const lost = this.#keptLost();
    const { tasks, unclear } = await this.#adopter.find();
    const live = new Set([...tasks.keys(), ...unclear.keys()]);
    await network.start(new Set([...live, ...lost]));
    await this.#releaseDead(live);
    const used = volumesOf(registry.all().filter(({ id }) => live.has(id)));
    volumes.restoreMounts(new Map([...used, ...lost.map((id) => [id, this.#heldBy(id)] as const)]));
    settleVolumes(this.#engine);
    for (const { id } of registry.all()) {
      if (unclear.has(id)) this.#adoptLater(id, unclear.get(id));
      else await this.#restoreOne(id, tasks.get(id));
    }
    await this.#removeStrays();
    this.#startByPolicy();
  }

  /** Ends what goes on in the background. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#background);
  }

  /** One that cannot be restored does not keep the others, nor the daemon, from it. */
  async #restoreOne(id: string, task: Task | undefined): Promise<void> {
    try {
      await this.#engine.locks.run(id, () => this.#reconcile(id, task));
    } catch (error) {
      if (task) this.#adoptLater(id, error);
      else this.#warnFailed(id, error);
    }
  }

  #adoptLater(id: string, failure: unknown): void {
    const attempt = () => this.#engine.locks.run(id, () => this.#adoptAgain(id));
    this.#inBackground(this.#adopter.persist(id, failure, attempt, this.#closing.signal));
  }

  /** The caller holds the lock. @throws when it still cannot be looked at. */
  async #adoptAgain(id: string): Promise<void> {
    const { registry, runtime } = this.#engine;
    const container = registry.byId(id);
    // Removed by force meanwhile, for example.
    if (!container || !isAlive(container.state)) return;
    const task = await runtime.recover(id);
    if (!task) await releaseRun(this.#engine, id);
    await this.#reconcile(id, task);
    const now = registry.byId(id);
    if (now && startsAtBoot(now)) this.#inBackground(this.#startOne(id));
  }

  #inBackground(work: Promise<void>): void {
    const done = work.finally(() => this.#background.delete(done));
    this.#background.add(done);
  }

  /** Containers without a readable row that may run: they are let alone, with everything they have. Says which there are. */
  #keptLost(): string[] {
    const { lostRows, runtime, logger, dataRoot } = this.#engine;
    const leftovers = new Set(runtime.leftovers());
    for (const [id, { reason }] of lostRows.all()) {
      logger.error(
        "a container's row is lost: what is left of it is kept, and goes once its directory is deleted",
        {
          ...{ container: id, reason, mayRun: leftovers.has(id) },
          directory: containerPaths(dataRoot, id).directory,
        },
      );
    }
    return lostRows.all().flatMap(([id]) => (leftovers.has(id) ? [id] : []));
  }

  #heldBy(id: string): string[] {
    const { volumes } = this.#engine;
    return volumes.list().flatMap(({ name }) => (volumes.usersOf(name).includes(id) ? [name] : []));
  }

  /** What is left of containers that do not run: runtime state, mounts. Half-made starts are among them. */
  async #releaseDead(live: ReadonlySet<string>): Promise<void> {
    const { registry, lostRows, runtime, snapshotter } = this.#engine;
    const leftovers = new Set(runtime.leftovers());
    const dead = registry.all().filter(({ id }) => !live.has(id));
    const needsRelease = dead.filter(
      ({ id, hostConfig, mounts }) =>
        leftovers.has(id) ||
        [id, ...imageKeys(mounts)].some((key) => snapshotter.isMounted(key)) ||
        hostConfig.ipcMode === 'shareable',
    );
    await Promise.all(needsRelease.map(({ id }) => releaseRun(this.#engine, id)));
    const unknown = [...leftovers].filter((id) => !registry.byId(id) && !lostRows.has(id));
    await Promise.all(unknown.map((id) => this.#attempt(id, () => runtime.delete(id))));
  }

  /** The caller holds the lock. */
  async #reconcile(id: string, task: Task | undefined): Promise<void> {
    const { registry } = this.#engine;
    const container = registry.byId(id);
    if (!container) return;
    if (task) return this.#adopter.adopt(container, task);
    if (isAlive(container.state)) this.#endUnseen(container);
    const now = registry.byId(id) ?? container;
    if (isToRemove(now)) await this.#parts.remover.autoRemoveLocked(id);
    else if (now.state.status === 'exited') this.#engine.companions.ended(now);
  }

  #endUnseen(container: Container): void {
    const { registry, events, logger } = this.#engine;
    const error = unknownExit(NOTHING_LEFT);
    const exit = { exitCode: UNKNOWN_EXIT, finishedAt: new Date().toISOString(), oomKilled: false, error };
    const ended = { ...container, state: transition(container.state, { type: 'exited', ...exit }) };
    const unsaved = registry.record(ended);
    restoreMissingLog(ended, logger);
    logger.warn('a container ended unseen', {
      container: container.id,
      error,
      ...(unsaved ? { notStored: errorMessage(unsaved) } : {}),
    });
    events.publish(ended, 'die', {
      exitCode: String(UNKNOWN_EXIT),
      ...unknownExitAttributes(NOTHING_LEFT),
    });
  }

  /** Snapshots and directories of creates that a crash interrupted before their row was written. */
  async #removeStrays(): Promise<void> {
    const { registry, lostRows, snapshotter, dataRoot } = this.#engine;
    const isStray = (key: string) => {
      const owner = ownerOf(key);
      return owner !== undefined && !registry.byId(owner) && !lostRows.has(owner);
    };
    const directories = containersDirectory(dataRoot);
    await Promise.all([
      ...snapshotter
        .snapshots()
        .filter(isStray)
        .map((key) => this.#attempt(key, () => snapshotter.removeSnapshot(key))),
      ...readdirSync(directories)
        .filter(isStray)
        .map((key) => this.#attempt(key, () => rm(join(directories, key), { recursive: true, force: true }))),
    ]);
  }

  /** Donors of a network or namespace come before those who join them, linked ones before those who link. */
  #startByPolicy(): void {
    const wanted = new Map(
      this.#engine.registry
        .all()
        .filter(startsAtBoot)
        .map((container) => [container.id as string, container]),
    );
    const started = new Map<string, Promise<void>>();
    const slots = new Semaphore(PARALLEL_STARTS);
    const start = (container: Container, waitingFor: ReadonlySet<string>): Promise<void> => {
      const known = started.get(container.id);
      if (known) return known;
      const donors = donorsOf(container).flatMap((id) => wanted.get(id) ?? []);
      const path = new Set([...waitingFor, container.id]);
      const ready = Promise.all(donors.filter(({ id }) => !path.has(id)).map((donor) => start(donor, path)));
      const done = ready.then(() => slots.run(() => this.#startOne(container.id)));
      started.set(container.id, done);
      return done;
    };
    for (const container of wanted.values()) this.#inBackground(start(container, new Set()));
  }

  /** Not any more once the daemon ends, which may have come while it waited for its turn or its lock: the next one starts it. */
  async #startOne(id: string): Promise<void> {
    const { locks, logger } = this.#engine;
    const { signal } = this.#closing;
    if (signal.aborted) return;
    await locks.run(id, async () => {
      if (signal.aborted) return;
      try {
        await this.#parts.starter.start(id, { isUser: false });
      } catch (error) {
        logger.warn('start by policy failed', { container: id, error: errorMessage(error) });
        this.#parts.exits.afterFailedStart(id);
      }
    });
  }

  async #attempt<T>(id: string, action: () => Promise<T>): Promise<T | undefined> {
    try {
      return await action();
    } catch (error) {
      this.#warnFailed(id, error);
      return undefined;
    }
  }

  #warnFailed(id: string, error: unknown): void {
    this.#engine.logger.warn('restore of a container failed', { container: id, error: errorMessage(error) });
  }
}

/**
 * Removals that failed or were interrupted, and auto-removed containers that do not run: those that ended while nobody looked, and
 * those whose client was lost with the daemon between create and start. dockerd removes the same at its start.
 */
const isToRemove = ({ state, hostConfig }: Container): boolean =>
  isDoomed(state) || (hostConfig.autoRemove && (state.status === 'exited' || state.status === 'created'));

const donorsOf = ({ hostConfig, links = [] }: Container): string[] => [
  ...[hostConfig.networkMode, hostConfig.ipcMode, hostConfig.pidMode]
    .filter((mode) => mode.startsWith('container:'))
    .map((mode) => mode.slice('container:'.length)),
  ...links.map(({ containerId }) => containerId),
];

/** Docker's rule at the start of the daemon: `always` starts even what the user had stopped; nothing that never ran. */
export function startsAtBoot({ state, hostConfig, restartCount, manuallyStopped }: Container): boolean {
  if (state.status === 'restarting') return true;
  if (state.status !== 'exited') return false;
  const { restartPolicy } = hostConfig;
  const staysStopped = manuallyStopped && restartPolicy.name !== 'always';
  return shouldRestart(restartPolicy, {
    exitCode: state.exitCode,
    manuallyStopped: staysStopped,
    restartCount,
  });
}
