import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { errnoCode, errorMessage } from '#base';
import { hasLocalLimits, removeEmptyCgroup } from './cgroup-policy.ts';
import { callRuntimeForText } from './command.ts';
import type { RuntimeContext } from './context.ts';
import type { TaskRecord } from './record.ts';
import type { RuntimeBinary } from './types.ts';

const SIGKILL = 9;
const PROBE_DEADLINE_MS = 5000;
/** A process may fork while it is being killed: so often its children are looked for. */
const KILL_ROUNDS = 20;

/** Links of a cgroup's directory that has no other below it. */
const CHILDLESS_LINKS = 2;
const PREFIX = 'exec-';
const nameOf = (execId: string): string => `${PREFIX}${execId.slice(0, 12)}`;
const pathOf = (execId: string, task: TaskRecord): string => `${task.cgroupsPath}/${nameOf(execId)}`;

/** The cgroup of one exec, below its container's. */
export interface ExecCgroup {
  /** Relative to the container's, as the runtimes' `exec --cgroup` takes it. */
  readonly name: string;
  /** Signals every process. False when there is none. */
  signal(signal: number): boolean;
  /** Removes it, unless processes that the exec has left behind still live in it: then a later exec's end does. */
  release(): void;
}

/** Makes the cgroups of execs, where the runtime can put a process into one. */
export class ExecCgroups {
  readonly #context: Pick<RuntimeContext, 'sys' | 'logger'>;
  /** By path: whether the runtime's `exec` has `--cgroup`. */
  readonly #support = new Map<string, Promise<boolean>>();
  /** Left behind by execs, by container. */
  readonly #leftovers = new Map<string, Set<string>>();

  constructor(context: Pick<RuntimeContext, 'sys' | 'logger'>) {
    this.#context = context;
  }

  /** Undefined where it is not possible: the exec then shares the container's cgroup. */
  async create(execId: string, task: TaskRecord, runtime: RuntimeBinary): Promise<ExecCgroup | undefined> {
    if (!(await this.#isSupported(runtime))) return undefined;
    const { sys, logger } = this.#context;
    if (hasLocalLimits(task.cgroupsPath, sys)) return undefined;
    try {
      sys.cgroups.create(pathOf(execId, task));
    } catch (error) {
      logger.warn('no cgroup for an exec', { container: task.id, error: errorMessage(error) });
      return undefined;
    }
    return this.#cgroup(execId, task);
  }

  /** The one that an earlier daemon has made. Undefined when there is none. */
  find(execId: string, task: TaskRecord): ExecCgroup | undefined {
    return this.#below(task).has(nameOf(execId)) ? this.#cgroup(execId, task) : undefined;
  }

  /** Takes over from an earlier daemon what execs have left behind in a container; those in `execIds` go on. */
  adopt(task: TaskRecord, execIds: ReadonlySet<string>): void {
    const live = new Set([...execIds].map(nameOf));
    for (const name of this.#below(task))
      if (!live.has(name)) this.#release(task, `${task.cgroupsPath}/${name}`);
  }

  #cgroup(execId: string, task: TaskRecord): ExecCgroup {
    const path = pathOf(execId, task);
    return {
      name: nameOf(execId),
      signal: (signal) => this.#signal(path, signal),
      release: () => this.#release(task, path),
    };
  }

  /** Names of the execs' cgroups in a container's. */
  #below({ cgroupsPath }: TaskRecord): Set<string> {
    const { controllers, unified } = this.#context.sys.cgroups;
    const mounts = new Set([...controllers.values(), ...(unified === undefined ? [] : [unified])]);
    const names = [...mounts].flatMap((mount) => directoriesIn(join(mount, cgroupsPath)));
    return new Set(names.filter((name) => name.startsWith(PREFIX)));
  }

  /** The running ones and what ended ones have left behind, as paths. */
  paths(task: TaskRecord): string[] {
    return [...this.#below(task)].map((name) => `${task.cgroupsPath}/${name}`);
  }

  /** The container is gone, and its cgroups with it. */
  forget(containerId: string): void {
    this.#leftovers.delete(containerId);
  }

  #isSupported(runtime: RuntimeBinary): Promise<boolean> {
    let known = this.#support.get(runtime.path);
    if (!known) {
      known = callRuntimeForText(runtime, ['exec', '--help'], PROBE_DEADLINE_MS).then(
        (text) => text.includes('--cgroup'),
        () => false,
      );
      this.#support.set(runtime.path, known);
    }
    return known;
  }

  #signal(path: string, signal: number): boolean {
    const { sys } = this.#context;
    if (signal === SIGKILL) {
      const isPopulated = sys.cgroups.processes(path).length > 0;
      if (sys.cgroups.kill(path)) return isPopulated;
    }
    const signalled = new Set<number>();
    for (let round = 0; round < KILL_ROUNDS; round += 1) {
      const fresh = sys.cgroups.processes(path).filter((pid) => !signalled.has(pid));
      if (fresh.length === 0) break;
      for (const pid of fresh) {
        signalled.add(pid);
        sys.processes.kill(pid, signal);
      }
      // Only what is killed must not get away by forking; a handler may well start something.
      if (signal !== SIGKILL) break;
    }
    return signalled.size > 0;
  }

  #release({ id }: TaskRecord, path: string): void {
    const waiting = this.#leftovers.get(id) ?? new Set<string>();
    waiting.add(path);
    for (const candidate of waiting) {
      if (this.#context.sys.cgroups.processes(candidate).length > 0) continue;
      this.#remove(candidate);
      waiting.delete(candidate);
    }
    if (waiting.size > 0) this.#leftovers.set(id, waiting);
    else this.#leftovers.delete(id);
  }

  #remove(path: string): void {
    try {
      removeEmptyCgroup(path, this.#context.sys);
    } catch (error) {
      if (errnoCode(error) !== 'ENOENT')
        this.#context.logger.warn('cgroup of an exec not removed', { path, error: errorMessage(error) });
    }
  }
}

/** The link count spares a daemon with a thousand containers listing ten thousand directories. */
function directoriesIn(path: string): string[] {
  try {
    if (statSync(path).nlink === CHILDLESS_LINKS) return [];
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return [];
    throw error;
  }
}
