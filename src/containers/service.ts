import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import {
  type EventBus,
  errorMessage,
  KeyedMutex,
  type Logger,
  MeasuredSizes,
  parseSignal,
  SIGNALS,
} from '#base';
import type { NetworkService } from '#network';
import type { Digest } from '#oci';
import {
  availableCapabilities,
  openAppArmor,
  openSelinux,
  type Runtime,
  readLimitHost,
  readSpecHost,
  type TerminalSize,
} from '#runtime';
import type { FilesystemChange, MetadataStore, Snapshotter } from '#store';
import type { Sys } from '#sys';
import type { VolumeService } from '#volumes';
import { Attacher } from './attach.ts';
import { Changer, type UpdateRequest } from './change.ts';
import { Committer } from './commit/committer.ts';
import { Companions } from './companions.ts';
import { ContainerEvents } from './container-events.ts';
import { Controller, type StopOptions } from './control.ts';
import { Copier } from './copier.ts';
import { Creator } from './create/creator.ts';
import { readResourceHost } from './create/resource-host.ts';
import { decodeContainer } from './decode.ts';
import { CONTAINER_DEFAULTS, type ContainerDefaults } from './defaults.ts';
import { withoutMountPoints } from './diff-filter.ts';
import type { ContainerHost, ContainerImages, Engine } from './engine.ts';
import { alreadyStarted, notRunning } from './errors.ts';
import { ExecService, type ExecStart } from './exec/exec-service.ts';
import { ExitHandler } from './exit.ts';
import { exportTree } from './export.ts';
import { HealthWatch } from './health-watch.ts';
import { Instances } from './instance.ts';
import { LinkedHosts } from './links/linked-hosts.ts';
import { unlink } from './links/unlink.ts';
import { Lister, type ListOptions } from './list.ts';
import { Forwarders } from './log-drivers/index.ts';
import { LogForwarding } from './log-forwarding.ts';
import { readContainerLog } from './logs/container-log.ts';
import { addRowless, holdForLost, LostRows, type LostRowsOptions } from './lost-rows.ts';
import type { CreateRequest } from './model.ts';
import { OomWatch } from './oom-watch.ts';
import { containersDirectory } from './paths.ts';
import { Pruner } from './prune.ts';
import { Registry } from './registry.ts';
import { type RemoveOptions, Remover } from './remove.ts';
import { Restorer } from './restore.ts';
import { sizeKeeper } from './size-keeper.ts';
import { Starter } from './start/starter.ts';
import { exitCodeOf, isAlive } from './state.ts';
import { StatsReader } from './stats-reader.ts';
import { type ProcessTable, top } from './top.ts';
import type {
  AttachOptions,
  CommitOptions,
  ContainerFilters,
  ContainerService,
  ContainerView,
  ExecConfig,
  ExecView,
  LogOptions,
  StatsOptions,
  WaitCondition,
  WriteArchiveOptions,
} from './types.ts';
import type { ExitResult } from './waiters.ts';

export interface ContainerServiceOptions {
  readonly metadata: MetadataStore;
  readonly snapshotter: Snapshotter;
  readonly images: ContainerImages;
  readonly network: NetworkService;
  readonly runtime: Runtime;
  readonly volumes: VolumeService;
  readonly sys: Sys;
  readonly events: EventBus;
  readonly logger: Logger;
  /** Containers live in `<dataRoot>/containers/<id>`. */
  readonly dataRoot: string;
  /** Read at each use: an object with getters follows a reload of the configuration. Default {@link CONTAINER_DEFAULTS}. */
  readonly defaults?: ContainerDefaults;
  /** Where the machine's own files are, for recorded trees. Default `/`. */
  readonly hostRoot?: string;
  /** Default: read from this machine. */
  readonly host?: ContainerHost;
}

/** Containers on the other rooms. Call `restore` before anything else but reading. */
export function createContainerService(options: ContainerServiceOptions): ContainerService {
  mkdirSync(containersDirectory(options.dataRoot), { recursive: true, mode: 0o710 });
  const logger = options.logger.child({ room: 'containers' });
  const engine: Engine = {
    ...options,
    ...openRows({ ...options, logger }),
    logger,
    companions: new Companions(logger),
    forwarders: new Forwarders({ logger }),
    sizes: new MeasuredSizes({ measure: (id) => options.snapshotter.usage(id) }),
    instances: new Instances(),
    locks: new KeyedMutex(),
    events: new ContainerEvents(options.events),
    defaults: options.defaults ?? CONTAINER_DEFAULTS,
    host: options.host ?? readContainerHost(options, logger),
  };
  if (options.metadata.isRebuilt) addRowless(engine);
  holdVolumes(engine);
  return new Containers(engine);
}

/** At once: a crash after a damaged row was set aside must not make the next daemon forget it. */
const openRows = (options: LostRowsOptions): Pick<Engine, 'registry' | 'lostRows'> =>
  options.metadata.transaction(() => ({
    registry: new Registry(options.metadata.collection('containers', decodeContainer)),
    lostRows: new LostRows(options),
  }));

const readContainerHost = (
  { sys, defaults, hostRoot = '/' }: ContainerServiceOptions,
  logger: Logger,
): ContainerHost => ({
  selinux: openSelinux({ wanted: defaults?.selinux ?? false, logger, root: hostRoot }),
  appArmor: openAppArmor({ logger, sysfs: join(hostRoot, 'sys') }),
  spec: readSpecHost(),
  limits: readLimitHost(sys),
  capabilities: availableCapabilities(sys),
  resources: readResourceHost(sys.cgroups),
});

/** Before the first request, so that no prune can take a volume that a container names. */
function holdVolumes(engine: Engine): void {
  const { registry, volumes } = engine;
  for (const { id, mounts } of registry.all()) {
    for (const { type, name } of mounts) if (type === 'volume' && name !== '') volumes.hold(name, id);
  }
  holdForLost(engine);
}

/** Hands each request to the part that deals with it. */
class Containers implements ContainerService {
  readonly #engine: Engine;
  readonly #lister: Lister;
  readonly #creator: Creator;
  readonly #starter: Starter;
  readonly #exits: ExitHandler;
  readonly #controller: Controller;
  readonly #changer: Changer;
  readonly #remover: Remover;
  readonly #pruner: Pruner;
  readonly #attacher: Attacher;
  readonly #execs: ExecService;
  readonly #restorer: Restorer;
  readonly #stats: StatsReader;
  readonly #copier: Copier;
  readonly #committer: Committer;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#lister = new Lister(engine);
    this.#stats = new StatsReader(engine);
    this.#copier = new Copier(engine);
    this.#creator = new Creator(engine);
    this.#controller = new Controller(engine);
    this.#committer = new Committer(engine, this.#controller);
    this.#changer = new Changer(engine);
    this.#execs = new ExecService(engine);
    engine.companions.add(this.#execs);
    engine.companions.add(sizeKeeper(engine.sizes));
    engine.companions.add(new LinkedHosts(engine));
    engine.companions.add(new LogForwarding(engine));
    engine.companions.add(new HealthWatch(engine, this.#execs));
    engine.companions.add(new OomWatch(engine));
    this.#remover = new Remover(engine, { execs: this.#execs, controller: this.#controller });
    this.#pruner = new Pruner(this.#lister, this.#remover, engine);
    this.#attacher = new Attacher(engine);
    this.#exits = new ExitHandler(engine, {
      restart: (id) => engine.locks.run(id, () => this.#restartByPolicy(id)),
      autoRemoveLocked: (id) => this.#remover.autoRemoveLocked(id),
    });
    this.#starter = new Starter(engine, this.#exits);
    this.#restorer = new Restorer(engine, {
      execs: this.#execs,
      exits: this.#exits,
      starter: this.#starter,
      remover: this.#remover,
    });
  }

  get(ref: string): ContainerView {
    return this.#lister.view(this.#engine.registry.resolve(ref));
  }

  list(options?: ListOptions): ContainerView[] {
    return this.#lister.list(options);
  }

  create(request: CreateRequest) {
    return this.#creator.create(request);
  }

  async start(ref: string): Promise<void> {
    const { id, state } = this.#engine.registry.resolve(ref);
    // As docker has it: it runs, in between. A restart by a user starts it at once.
    if (state.status === 'restarting') throw alreadyStarted();
    await this.#startByUser(id);
  }

  /** A container that goes with its end goes also when it cannot begin. */
  async #startByUser(id: string): Promise<void> {
    const { registry, locks } = this.#engine;
    try {
      await locks.run(id, () => this.#starter.start(id, { isUser: true }));
    } catch (error) {
      const container = registry.byId(id);
      const status = container?.state.status;
      if (container?.hostConfig.autoRemove && (status === 'created' || status === 'exited')) {
        await this.#remover.autoRemove(id);
      }
      throw error;
    }
  }

  /** A stop or a removal may have come first. */
  async #restartByPolicy(id: string): Promise<void> {
    if (this.#engine.registry.byId(id)?.state.status !== 'restarting') return;
    await this.#starter.start(id, { isUser: false });
  }

  stop(ref: string, options?: StopOptions): Promise<void> {
    return this.#controller.stop(ref, options);
  }

  async restart(ref: string, options?: StopOptions): Promise<void> {
    const { registry, instances, events } = this.#engine;
    const { id } = registry.resolve(ref);
    const instance = instances.of(id);
    instance.isRestarting = true;
    try {
      const { status } = registry.resolve(id).state;
      if (status === 'running' || status === 'paused' || status === 'restarting') {
        await this.#controller.stop(id, options);
      }
      await this.#startByUser(id);
    } finally {
      instance.isRestarting = false;
    }
    events.publish(registry.resolve(id), 'restart');
  }

  kill(ref: string, signal?: string): Promise<void> {
    return this.#controller.kill(ref, signal);
  }

  pause(ref: string): Promise<void> {
    return this.#controller.pause(ref);
  }

  unpause(ref: string): Promise<void> {
    return this.#controller.unpause(ref);
  }

  rename(ref: string, name: string): Promise<void> {
    return this.#changer.rename(ref, name);
  }

  update(ref: string, change: UpdateRequest) {
    return this.#changer.update(ref, change);
  }

  async remove(ref: string, options?: RemoveOptions): Promise<void> {
    if (options?.link) return await unlink(this.#engine, ref);
    await this.#remover.remove(this.#engine.registry.resolve(ref).id, options);
  }

  prune(filters: ContainerFilters = {}) {
    return this.#pruner.prune(filters);
  }

  wait(ref: string, condition: WaitCondition, signal?: AbortSignal): { readonly exit: Promise<ExitResult> } {
    const { registry, instances } = this.#engine;
    const { id, state } = registry.resolve(ref);
    const isOver = condition === 'not-running' && !isAlive(state) && state.status !== 'restarting';
    if (isOver) return { exit: Promise.resolve({ exitCode: exitCodeOf(state) }) };
    // Nobody removes it any more: the answer would never come.
    if (condition === 'removed' && state.status === 'dead' && !this.#remover.isRetrying(id))
      return { exit: Promise.resolve({ exitCode: exitCodeOf(state), error: state.error }) };
    return { exit: instances.of(id).waiters.add(condition, signal) };
  }

  logs(ref: string, options: LogOptions) {
    return readContainerLog(this.#engine, this.#engine.registry.resolve(ref), options);
  }

  attach(ref: string, options: AttachOptions) {
    return this.#attacher.attach(ref, options);
  }

  async resize(ref: string, size: TerminalSize): Promise<void> {
    const { registry, instances, events } = this.#engine;
    const container = registry.resolve(ref);
    const task = instances.peek(container.id)?.task;
    if (!task || !isAlive(container.state)) throw notRunning(container.id);
    await task.resize(size);
    events.publish(container, 'resize', { height: String(size.rows), width: String(size.columns) });
  }

  top(ref: string, psArgs?: string): Promise<ProcessTable> {
    return top(this.#engine, ref, psArgs);
  }

  async changes(ref: string): Promise<readonly FilesystemChange[]> {
    return withoutMountPoints(await this.#engine.snapshotter.changes(this.#engine.registry.resolve(ref).id));
  }

  async export(ref: string): Promise<Readable> {
    const { registry, snapshotter, sys, events, locks } = this.#engine;
    const container = registry.resolve(ref);
    const { id } = container;
    const rootfs = await locks.run(id, () => snapshotter.mount(id));
    events.publish(container, 'export');
    return exportTree(sys, rootfs, {
      done: () => void this.#unmountLater(id),
      mappings: registry.byId(id)?.idMappings,
    });
  }

  /** For an end that nobody waits for; what stays mounted goes with the next run or removal. */
  async #unmountLater(id: string): Promise<void> {
    const { locks, logger } = this.#engine;
    try {
      await locks.run(id, () => this.#unmountIdle(id));
    } catch (error) {
      logger.warn('not unmounted after an export', { container: id, error: errorMessage(error) });
    }
  }

  #unmountIdle(id: string): void {
    const { registry, snapshotter } = this.#engine;
    const container = registry.byId(id);
    if (container && !isAlive(container.state)) snapshotter.unmount(id);
  }

  sizes(ref: string) {
    return this.#lister.sizes(this.#engine.registry.resolve(ref));
  }

  statPath(ref: string, path: string) {
    return this.#copier.stat(ref, path);
  }

  readArchive(ref: string, path: string) {
    return this.#copier.read(ref, path);
  }

  writeArchive(
    ref: string,
    path: string,
    tar: AsyncIterable<Uint8Array>,
    options: WriteArchiveOptions = {},
  ): Promise<void> {
    return this.#copier.write(ref, path, tar, options);
  }

  commit(ref: string, options: CommitOptions) {
    return this.#committer.commit(ref, options);
  }

  stats(ref: string, options: StatsOptions) {
    return this.#stats.read(ref, options);
  }

  createExec(ref: string, config: ExecConfig): { id: string } {
    return this.#execs.create(ref, config);
  }

  exec(execId: string): ExecView {
    return this.#execs.inspect(execId);
  }

  startExec(execId: string, options: ExecStart) {
    return this.#execs.start(execId, options);
  }

  killExec(execId: string, { signal, all = true }: { signal?: string; all?: boolean } = {}): Promise<void> {
    return this.#execs.kill(execId, signal ? parseSignal(signal) : SIGNALS.KILL, { all });
  }

  resizeExec(execId: string, size: TerminalSize): Promise<void> {
    return this.#execs.resize(execId, size);
  }

  counts() {
    return this.#lister.counts();
  }

  usersOf(image: Digest) {
    return this.#lister.usersOf(image);
  }

  restore(): Promise<void> {
    return this.#restorer.run();
  }

  async shutdown({
    stopAll,
    timeoutS = -1,
  }: {
    readonly stopAll: boolean;
    readonly timeoutS?: number;
  }): Promise<void> {
    this.#exits.shutdown();
    const { registry, instances, companions } = this.#engine;
    for (const instance of instances.all()) instance.backoff.cancel();
    await this.#restorer.close();
    await this.#remover.close();
    if (stopAll) {
      const alive = registry.all().filter(({ state }) => isAlive(state));
      await Promise.allSettled(
        alive.map(({ id, config }) => {
          const own = config.stopTimeoutS ?? this.#engine.defaults.stopTimeoutS;
          return this.#controller.stop(id, { byUser: false, timeoutS: shorter(own, timeoutS) });
        }),
      );
    }
    await this.#exits.settle();
    for (const instance of instances.all()) {
      instance.session.end();
      await instance.rotator?.[Symbol.asyncDispose]();
    }
    await companions.close();
  }
}

/** The shorter of two times to stop; below 0 there is no limit. */
const shorter = (one: number, other: number): number =>
  one < 0 || other < 0 ? Math.max(one, other) : Math.min(one, other);
