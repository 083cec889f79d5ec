import type { Readable } from 'node:stream';
import { parseSignal, SIGNALS } from '#base';
import type { Digest } from '#oci';
import type { TerminalSize } from '#runtime';
import type { FilesystemChange } from '#store';
import { Attacher } from './attach.ts';
import { Changer, type UpdateRequest } from './change.ts';
import { Committer } from './commit/committer.ts';
import { Controller, type StopOptions } from './control.ts';
import { Copier } from './copier.ts';
import { Creator } from './create/creator.ts';
import { withoutMountPoints } from './diff-filter.ts';
import type { Engine } from './engine.ts';
import { alreadyStarted, notRunning } from './errors.ts';
import { ExecService, type ExecStart } from './exec/exec-service.ts';
import { ExitHandler } from './exit.ts';
import { Exporter } from './exporter.ts';
import { HealthWatch } from './health-watch.ts';
import { LinkedHosts } from './links/linked-hosts.ts';
import { unlink } from './links/unlink.ts';
import { Lister, type ListOptions } from './list.ts';
import { LogForwarding } from './log-forwarding.ts';
import { readContainerLog } from './logs/container-log.ts';
import type { CreateRequest } from './model.ts';
import { OomWatch } from './oom-watch.ts';
import { type ContainerServiceOptions, openEngine } from './open-engine.ts';
import { Pruner } from './prune.ts';
import { type RemoveOptions, Remover } from './remove.ts';
import { Restorer } from './restore.ts';
import { type ShutdownOptions, shutDown } from './shutdown.ts';
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

/** Containers on the other rooms. Call `restore` before anything else but reading. */
export const createContainerService = (options: ContainerServiceOptions): ContainerService =>
  new Containers(openEngine(options));

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
  readonly #exporter: Exporter;
  readonly #committer: Committer;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#lister = new Lister(engine);
    this.#stats = new StatsReader(engine);
    this.#copier = new Copier(engine);
    this.#exporter = new Exporter(engine);
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

  export(ref: string): Promise<Readable> {
    return this.#exporter.export(ref);
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

  shutdown(options: ShutdownOptions): Promise<void> {
    const parts = {
      controller: this.#controller,
      exits: this.#exits,
      remover: this.#remover,
      restorer: this.#restorer,
    };
    return shutDown(this.#engine, parts, options);
  }
}
