import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { release } from 'node:os';
import { invalidArgument, KeyedMutex, type Logger, ownValue, unavailable } from '#base';
import type { Sys } from '#sys';
import { type AddedRuntimes, chooseDefault, findProgram, findRuntimes, isKnown } from './binaries.ts';
import { CgroupParents } from './cgroup-parents.ts';
import type { Deadlines, RuntimeContext } from './context.ts';
import { createTask } from './create.ts';
import { ExecCgroups } from './exec-cgroup.ts';
import { ExitWatch, readExitFile } from './exit-watch.ts';
import { createLayout } from './layout.ts';
import { identify, processEnd } from './liveness.ts';
import { RecursiveReadOnly } from './mount-options.ts';
import { Launcher } from './programs/launcher.ts';
import { healRecord, readRecord, type TaskRecord } from './record.ts';
import { removeTask } from './remove.ts';
import { needsRuntimeNamespace, type RuntimeNamespace } from './runtime-namespace.ts';
import { createSeccompProvider } from './seccomp/provider.ts';
import { readSpecHost } from './spec/build-spec.ts';
import { dropStagedMounts } from './staged-mounts.ts';
import { ConmonTask } from './task.ts';
import type { Runtime, RuntimeBinary, Task, TaskOptions } from './types.ts';

export interface RuntimeOptions {
  /** Default `/run/gantry`. Made with mode 0700; everything in it is this runtime's. */
  readonly execRoot: string;
  readonly sys: Pick<Sys, 'cgroups' | 'files' | 'mounts' | 'processes' | 'sockets'>;
  readonly logger: Logger;
  readonly addRuntimes?: AddedRuntimes;
  /** Default: crun where it works on this machine, else runc. */
  readonly defaultRuntime?: string;
  /** Compiled seccomp filters; worth keeping across reboots. Default: below the exec root. */
  readonly cacheRoot?: string;
  /** Default: found on the usual path. */
  readonly conmonPath?: string;
  readonly deadlines?: Partial<Deadlines>;
  /** Where monitors and runtimes are started. Default: in the mount namespace of the caller. */
  readonly namespace?: RuntimeNamespace | undefined;
}

const DEADLINES: Deadlines = { createMs: 60_000, commandMs: 20_000, drainMs: 5000 };

/**
 * The runtime on this machine's conmon and OCI runtimes.
 * @throws `unavailable` when conmon or every runtime is missing, `invalid_argument` for a bad runtime in the options.
 */
export async function createRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { namespace } = options;
  const runtimes = startedIn(namespace, findRuntimes(options.addRuntimes));
  const crunWorks = namespace !== undefined || !needsRuntimeNamespace();
  const defaultRuntime = chooseDefault(runtimes, options.defaultRuntime, crunWorks);
  if (!crunWorks && options.defaultRuntime === undefined)
    options.logger.warn('crun cannot be used with this cgroup layout', { runtime: defaultRuntime });
  const conmonPath = findProgram(options.conmonPath ?? 'conmon');
  if (conmonPath === undefined) throw unavailable('conmon not found: install conmon');
  const layout = createLayout(options.execRoot);
  for (const directory of [options.execRoot, layout.tasks, ...Object.keys(runtimes).map(layout.state)])
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  mkdirSync(layout.mounts, { recursive: true, mode: 0o711 });
  const closing = new AbortController();
  const tried = [conmonPath, ...(runtimes['crun'] ? [runtimes['crun'].path] : [])];
  const launcher = new Launcher(options.sys, options.logger, tried);
  const context: RuntimeContext = {
    sys: options.sys,
    logger: options.logger,
    layout,
    exits: new ExitWatch(layout.exits),
    execCgroups: new ExecCgroups(options),
    conmonPath,
    namespace,
    deadlines: { ...DEADLINES, ...options.deadlines },
    binary: (name) => {
      const binary = lookUp(runtimes, name);
      return { ...binary, launch: launcher.launch(binary) };
    },
    cgroupParents: new CgroupParents(layout.cgroupParents, options),
    closing: closing.signal,
    seccomp: await createSeccompProvider({
      runtimes,
      cacheRoot: options.cacheRoot ?? options.execRoot,
      execRoot: options.execRoot,
      host: readSpecHost(),
      logger: options.logger,
      probe: crunWorks,
    }),
  };
  return new ConmonRuntime(runtimes, defaultRuntime, context, closing);
}

function startedIn(
  namespace: RuntimeNamespace | undefined,
  runtimes: Readonly<Record<string, RuntimeBinary>>,
): Readonly<Record<string, RuntimeBinary>> {
  if (!namespace) return runtimes;
  const enter = <T>(start: () => T): T => namespace.run(start);
  return Object.fromEntries(Object.entries(runtimes).map(([name, binary]) => [name, { ...binary, enter }]));
}

function lookUp(runtimes: Readonly<Record<string, RuntimeBinary>>, name: string): RuntimeBinary {
  const binary = ownValue(runtimes, name);
  if (!binary) throw invalidArgument(`unknown or invalid runtime name: ${name}`);
  return binary;
}

class ConmonRuntime implements Runtime {
  readonly runtimes: Readonly<Record<string, RuntimeBinary>>;
  readonly defaultRuntime: string;
  readonly #context: RuntimeContext;
  readonly #closing: AbortController;
  readonly #tasks = new Map<string, ConmonTask>();
  readonly #locks = new KeyedMutex();
  readonly #recursiveReadOnly = new RecursiveReadOnly(release());

  constructor(
    runtimes: Readonly<Record<string, RuntimeBinary>>,
    defaultRuntime: string,
    context: RuntimeContext,
    closing: AbortController,
  ) {
    this.runtimes = runtimes;
    this.defaultRuntime = defaultRuntime;
    this.#context = context;
    this.#closing = closing;
  }

  async create(options: TaskOptions): Promise<Task> {
    const runtime = options.runtime ?? this.defaultRuntime;
    this.#context.binary(runtime);
    return await this.#locks.run(options.id, async () => {
      const task = await createTask(options, runtime, this.#context);
      this.#tasks.set(options.id, task);
      return task;
    });
  }

  whyNoRecursiveReadOnly(runtime: string = this.defaultRuntime): Promise<string | undefined> {
    return this.#recursiveReadOnly.whyNot(runtime, lookUp(this.runtimes, runtime));
  }

  async recover(id: string): Promise<Task | undefined> {
    return await this.#locks.run(id, () => {
      const known = this.#tasks.get(id);
      if (known) return known;
      const task = this.#adopt(id);
      if (task) this.#tasks.set(id, task);
      return task;
    });
  }

  async delete(id: string): Promise<void> {
    await this.#locks.run(id, async () => {
      await removeTask(id, this.#context);
      this.#tasks.get(id)?.release();
      this.#tasks.delete(id);
    });
  }

  leftovers(): string[] {
    return readdirSync(this.#context.layout.tasks);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#context.exits.close();
    for (const task of this.#tasks.values()) task.release();
    this.#tasks.clear();
    // While containers are there, one may be in the making below any of these.
    if (this.leftovers().length > 0) return;
    this.#context.cgroupParents.remove();
  }

  /** Of a container that is made: only hooks and runtimes that nobody knows look at its mounts later. */
  #isDoneWithMounts({ runtime, hasPoststop }: TaskRecord): boolean {
    const binary = ownValue(this.runtimes, runtime);
    return binary !== undefined && isKnown(binary) && !hasPoststop;
  }

  /** What an earlier daemon left: something that runs, or has an exit status. */
  #adopt(id: string): ConmonTask | undefined {
    const { layout, logger, sys } = this.#context;
    const files = layout.task(id);
    for (const { file, aside } of existsSync(files.directory) ? healRecord(files.record) : [])
      logger.warn("a container's record was damaged", { container: id, file, aside });
    const record = readRecord(files.record);
    // The daemon died while the container was made: nothing has run yet, `delete` cleans it up.
    if (!record || record.id !== id || record.init.pid === 0) return undefined;
    if (this.#isDoneWithMounts(record)) dropStagedMounts(id, this.#context);
    const monitorRuns = identify(record.monitor.pid)?.startTime === record.monitor.startTime;
    const monitorEnd =
      readExitFile(files.exitFile) === undefined && monitorRuns
        ? processEnd(record.monitor, sys, this.#closing.signal)
        : Promise.resolve();
    return new ConmonTask(
      record,
      this.#context,
      monitorEnd.catch(() => {}),
    );
  }
}
