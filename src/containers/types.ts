import type { Readable } from 'node:stream';
import type { Sandbox } from '#network';
import type { Digest } from '#oci';
import type { TerminalSize } from '#runtime';
import type { PathStat } from './archive/index.ts';
import type {
  Container,
  ContainerConfig,
  ContainerId,
  CreateRequest,
  Resources,
  RestartPolicy,
} from './model.ts';
import type { ContainerStats } from './stats/index.ts';

export type { PathStat };

/** A container with what is derived at reading time. */
export interface ContainerView extends Container {
  readonly sandbox: Sandbox | undefined;
  /** Its name and those that links give it (`web/db`), sorted; without slash. */
  readonly names: readonly string[];
  /** Its links as they are called now: `/db:/web/alias`. */
  readonly linkTexts: readonly string[];
  readonly execIds: readonly string[];
  /** `LowerDir`, `UpperDir`, … of its snapshot. */
  readonly graphDriver: Readonly<Record<string, string>>;
  readonly appArmorProfile: string;
  /** How long the phases of the last start took, in milliseconds; undefined when this daemon did not start it. */
  readonly lastStartTrace: StartTrace | undefined;
}

/** Milliseconds by phase. `total` is from the request to the running process; phases may overlap. */
export type StartTrace = Readonly<
  Record<'rootfs' | 'network' | 'files' | 'spec' | 'create' | 'attach' | 'start' | 'total', number>
>;

/** Filters of `docker ps`: alternatives within a key, all keys must match. */
export type ContainerFilters = Readonly<Record<string, readonly string[]>>;

export interface LogOptions {
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly follow: boolean;
  /** Nanoseconds since the epoch. */
  readonly sinceNs?: bigint;
  readonly untilNs?: bigint;
  /** Last N lines; undefined is all. */
  readonly tail?: number;
  readonly timestamps: boolean;
  readonly details: boolean;
  readonly signal?: AbortSignal;
}

/** One piece of output in order. `stdin` is never used here. */
export interface OutputChunk {
  readonly stream: 'stdout' | 'stderr';
  readonly data: Uint8Array;
}

/**
 * The client's side of attach and exec. The server's hijack module implements it on a socket; the service pumps
 * between it and the process.
 */
export interface ClientStreams {
  /** Stdin from the client, ending with its half close. Undefined: stdin not wanted. */
  readonly input: AsyncIterable<Uint8Array> | undefined;
  /** Resolves when the client can take more (backpressure); rejects or resolves quietly when it is gone. */
  write(chunk: OutputChunk): Promise<void> | void;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
}

export interface AttachOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Replay the log first. */
  readonly logs: boolean;
  /** Stay attached. */
  readonly stream: boolean;
  /** Docker's notation, such as `ctrl-p,ctrl-q`; empty is the default. */
  readonly detachKeys: string;
}

export type WaitCondition = 'not-running' | 'next-exit' | 'removed';

export interface ExecConfig {
  readonly attachStdin: boolean;
  readonly attachStdout: boolean;
  readonly attachStderr: boolean;
  readonly tty: boolean;
  readonly detachKeys: string;
  readonly env: readonly string[];
  readonly cmd: readonly string[];
  readonly privileged: boolean;
  readonly user: string;
  readonly workingDir: string;
  readonly consoleSize?: TerminalSize;
  /**
   * Kill the process and all it has started when its client goes away without having detached (F15). Default: the
   * container's label `gantry.exec.kill-on-disconnect`, else false as with docker.
   */
  readonly killOnDisconnect?: boolean;
}

export interface ExecView {
  readonly id: string;
  readonly containerId: ContainerId;
  readonly running: boolean;
  /** Undefined while it has not ended. */
  readonly exitCode: number | undefined;
  readonly pid: number;
  readonly config: ExecConfig;
}

/** What `docker cp` gets. */
export interface ArchiveRead {
  readonly stat: PathStat;
  readonly tar: AsyncIterable<Uint8Array>;
}

export interface WriteArchiveOptions {
  /** Refuse to replace a directory by something else, or the reverse. */
  readonly noOverwriteDirNonDir?: boolean;
  /** `user[:group]`, names or numbers as the container knows them. Undefined: as the archive says. */
  readonly chown?: string;
  readonly signal?: AbortSignal;
}

export interface CommitOptions {
  /** Freeze the processes meanwhile. */
  readonly pause: boolean;
  readonly author: string;
  readonly comment: string;
  /** Dockerfile instructions that change the config. */
  readonly changes: readonly string[];
  /** Undefined leaves the image without a name. */
  readonly reference?: string;
  /** The image's config, filled up from the container's. Undefined: the container's. */
  readonly config?: ContainerConfig;
}

export interface StatsOptions {
  /** `stream`: one a second. `once`: one, measured over a second. `one-shot`: one, at once and without a previous one. */
  readonly mode: 'stream' | 'once' | 'one-shot';
  readonly signal?: AbortSignal;
}

/** Everything that can be done to containers. All texts and codes are docker's. `ref` is a name, an ID or a unique ID prefix. */
export interface ContainerService {
  /** @throws `not_found` (`No such container: X`). */
  get(ref: string): ContainerView;
  list(options?: {
    readonly all?: boolean;
    readonly limit?: number;
    readonly filters?: ContainerFilters;
  }): ContainerView[];
  create(request: CreateRequest): Promise<{ readonly id: ContainerId; readonly warnings: readonly string[] }>;
  /** @throws `not_modified` when it runs already. */
  start(ref: string): Promise<void>;
  /** @throws `not_modified` when it does not run. `timeoutS` -1 waits for ever. */
  stop(ref: string, options?: { readonly timeoutS?: number; readonly signal?: string }): Promise<void>;
  restart(ref: string, options?: { readonly timeoutS?: number; readonly signal?: string }): Promise<void>;
  kill(ref: string, signal?: string): Promise<void>;
  pause(ref: string): Promise<void>;
  unpause(ref: string): Promise<void>;
  rename(ref: string, name: string): Promise<void>;
  update(
    ref: string,
    change: { readonly resources: Partial<Resources>; readonly restartPolicy?: RestartPolicy },
  ): Promise<{ readonly warnings: readonly string[] }>;
  remove(
    ref: string,
    options?: { readonly force?: boolean; readonly volumes?: boolean; readonly link?: boolean },
  ): Promise<void>;
  prune(
    filters?: ContainerFilters,
  ): Promise<{ readonly deleted: readonly string[]; readonly reclaimedBytes: number }>;
  /**
   * Registers the wait at once (the returned `registered` state is in effect when the call returns), `exit` resolves
   * with the exit code.
   */
  wait(
    ref: string,
    condition: WaitCondition,
    signal?: AbortSignal,
  ): { readonly exit: Promise<{ readonly exitCode: number; readonly error?: string }> };
  logs(ref: string, options: LogOptions): AsyncIterable<readonly OutputChunk[]>;
  /**
   * Checks, then attaches. The first step (errors) happens before `streams` is called, so that the server can still
   * answer with a status; `done` resolves when the process has ended, the client has gone or detached.
   */
  attach(
    ref: string,
    options: AttachOptions,
  ): { readonly tty: boolean; readonly openStdin: boolean; run(streams: ClientStreams): Promise<void> };
  resize(ref: string, size: TerminalSize): Promise<void>;
  top(
    ref: string,
    psArgs?: string,
  ): Promise<{ readonly titles: readonly string[]; readonly processes: readonly (readonly string[])[] }>;
  changes(
    ref: string,
  ): Promise<readonly { readonly path: string; readonly kind: 'modified' | 'added' | 'deleted' }[]>;
  /** The whole root file system as a tar. */
  export(ref: string): Promise<Readable>;
  sizes(ref: string): Promise<{ readonly rwBytes: number; readonly rootFsBytes: number }>;

  /** What is at a path, a link itself. @throws `not_found` (`Could not find the file X in container Y`). */
  statPath(ref: string, path: string): Promise<PathStat>;
  /** A path with all below it as a tar. The stream must be read to its end or destroyed. */
  readArchive(ref: string, path: string): Promise<ArchiveRead>;
  /** Unpacks a tar (also compressed) into a directory. What was written before an error stays. */
  writeArchive(
    ref: string,
    path: string,
    tar: AsyncIterable<Uint8Array>,
    options?: WriteArchiveOptions,
  ): Promise<void>;

  /** An image of what the container has become; answers its ID. */
  commit(ref: string, options: CommitOptions): Promise<{ readonly id: string }>;

  /** What it uses. The first step (errors) happens at once. Zeros while it does not run; a stream ends with its removal. */
  stats(ref: string, options: StatsOptions): AsyncIterable<ContainerStats>;

  createExec(ref: string, config: ExecConfig): { readonly id: string };
  exec(execId: string): ExecView;
  startExec(
    execId: string,
    options: { readonly detach: boolean; readonly consoleSize?: TerminalSize },
  ): { run(streams: ClientStreams | undefined): Promise<void> };
  /**
   * Signal (default KILL) to the exec's process and, unless `all` is false, to everything it has started.
   * @throws `not_found`, `conflict` when it does not run, `invalid_argument` for an unknown signal.
   */
  killExec(execId: string, options?: { readonly signal?: string; readonly all?: boolean }): Promise<void>;
  resizeExec(execId: string, size: TerminalSize): Promise<void>;

  /** How many are in each state, for `info`. */
  counts(): {
    readonly total: number;
    readonly running: number;
    readonly paused: number;
    readonly stopped: number;
  };
  /** Containers made from an image, for the images room. */
  usersOf(image: Digest): readonly { readonly containerId: string; readonly running: boolean }[];
  /** Adopts what runs, cleans up what does not, applies restart policies. */
  restore(): Promise<void>;
  /** `stopAll` stops running containers first (as without live restore); otherwise they go on. */
  shutdown(options: {
    readonly stopAll: boolean;
    /**
     * How long to wait for all of them; a container with a longer time of its own is waited for that long. Below 0 or
     * undefined: no limit.
     */
    readonly timeoutS?: number;
  }): Promise<void>;
}
