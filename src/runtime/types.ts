import type {
  Digest,
  IdMapping,
  NamespaceType,
  Rlimit,
  Spec,
  SpecDevice,
  SpecHooks,
  SpecMount,
  SpecResources,
} from '#oci';

/**
 * From a runtime-spec to a running process.
 *
 * Vocabulary: a *task* is one container's init process with its monitor (conmon); a *process* is init or an exec;
 * a *bundle* is the directory with `config.json`. Lifecycle: `create` (init waits before the user's program) → `start`
 * → exit (reported once through `onExit`, kept on disk until `delete`) → `delete`. All state that matters lives in
 * files below the exec root and in the kernel, so that a successor daemon calls `recover` and goes on.
 */
export interface Runtime {
  /** Names of usable OCI runtimes to their absolute paths: `crun`, `runc`, and those of `--add-runtime`. */
  readonly runtimes: Readonly<Record<string, RuntimeBinary>>;
  readonly defaultRuntime: string;

  /**
   * Starts the monitor and makes the container; its init process waits. On failure nothing is left behind.
   * @throws with the OCI runtime's last error line; see `errors.ts` for the exit-code texts (126, 127).
   */
  create(options: TaskOptions): Promise<Task>;
  /** Adopts a task of an earlier daemon: running, or ended in the meantime (then its exit is reported). Undefined when nothing is left of it. */
  recover(id: string): Promise<Task | undefined>;
  /** Removes all runtime state of a container (runtime `delete --force`, cgroup, monitor, files). Idempotent. */
  delete(id: string): Promise<void>;
  /** Why a runtime (undefined: the default one) cannot make mounts read-only with all below; undefined: it can. */
  whyNoRecursiveReadOnly(runtime?: string): Promise<string | undefined>;
  /** Ids with anything left below the exec root, for the scan at start. */
  leftovers(): string[];
  /** Ends watchers; tasks go on. */
  close(): Promise<void>;
}

export interface RuntimeBinary {
  readonly path: string;
  readonly args: readonly string[];
  /** Runs what starts the program where it works; default: here. */
  readonly enter?: <T>(start: () => T) => T;
}

export interface TaskOptions {
  readonly id: string;
  /** Key of {@link Runtime.runtimes}; undefined is the default. */
  readonly runtime?: string;
  readonly spec: Spec;
  /** True: the container has a terminal. */
  readonly terminal: boolean;
  /** Keep stdin open for attach clients. */
  readonly openStdin: boolean;
  /** Close the container's stdin when the first attach client ends its input. */
  readonly stdinOnce: boolean;
  /** Log file in conmon's k8s-file format; undefined keeps no log. */
  readonly logPath: string | undefined;
  readonly signal?: AbortSignal;
}

export interface ExitStatus {
  /** 0 to 255; 128+n for signal n. */
  readonly exitCode: number;
  /** ISO time. */
  readonly exitedAt: string;
  readonly oomKilled: boolean;
  /** Why nobody could see the exit: the code is docker's for "unknown" then. */
  readonly unknownReason?: string;
}

export interface Task {
  readonly id: string;
  /** PID of init in the daemon's PID namespace. */
  readonly pid: number;
  /** PID of the monitor. */
  readonly monitorPid: number;
  /** Resolves once, when init has ended and its output is complete. Never rejects. */
  readonly exited: Promise<ExitStatus>;
  /** Lets the user's program run. */
  start(): Promise<void>;
  /** Signal to init (or to every process of the container). False when it has ended already. */
  kill(signal: number, options?: { readonly all?: boolean }): Promise<boolean>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Whether it is frozen, as the kernel says. */
  isPaused(): boolean;
  update(resources: SpecResources): Promise<void>;
  /** A new attach connection; it receives output from now on. Connect before `start` to miss nothing. */
  attach(): Promise<AttachStream>;
  resize(size: TerminalSize): Promise<void>;
  /** Closes the log file and opens `logPath` anew (after the caller renamed it), for rotation. */
  reopenLog(): Promise<void>;
  exec(options: ExecOptions): Promise<ExecProcess>;
  /**
   * The execs that an earlier daemon has started and that have not been reported as ended; without a stream. To be called
   * once, before the first {@link exec}. Starts that a crash interrupted are undone.
   */
  adoptExecs(): AdoptedExec[];
  /** PIDs in the container's cgroup, in the daemon's PID namespace. */
  processes(): number[];
  /**
   * Calls `listener` each time the container runs out of the memory that it is allowed, and at once for what was not told to
   * an earlier listener. Dispose to stop.
   */
  watchOom(listener: () => void): Disposable;
}

export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

/**
 * One client's end of a process's standard streams. Output is pushed; a client that does not read is buffered by
 * the caller, who must always keep taking chunks (a stalled monitor socket would stop the container).
 */
export interface AttachStream {
  /** Called for each chunk in order. `stderr` never occurs with a terminal. Set before data can flow: chunks are held until then. */
  onOutput(listener: (stream: 'stdout' | 'stderr', chunk: Uint8Array) => void): void;
  /** Resolves when the process side has closed: all output has been delivered. */
  readonly ended: Promise<void>;
  /** Writes to stdin. Resolves when the monitor took it (backpressure). Resolves quietly when the process is gone. */
  write(chunk: Uint8Array): Promise<void>;
  /** Half-closes stdin. */
  closeInput(): void;
  /** Drops the connection; the process goes on. */
  close(): void;
}

export interface ExecOptions {
  readonly execId: string;
  readonly process: SpecProcessInput;
  readonly terminal: boolean;
  readonly openStdin: boolean;
  /** False: nobody reads the output; it is dropped. */
  readonly attachOutput: boolean;
  readonly consoleSize?: TerminalSize;
  /** Kept beside the process, for {@link Task.adoptExecs} of a successor. */
  readonly note?: string;
}

export interface AdoptedExec {
  readonly process: ExecProcess;
  /** As it was given to {@link Task.exec}. */
  readonly note: string | undefined;
}

export interface ExecProcess {
  readonly execId: string;
  /** Known when the process has started. */
  readonly pid: number;
  readonly stream: AttachStream | undefined;
  /** Never rejects: a process that could not start rejects `Task.exec` instead. */
  readonly exited: Promise<ExitStatus>;
  resize(size: TerminalSize): Promise<void>;
  /** Signal to the process, or with `all` also to everything it has started. False when there is none any more. */
  kill(signal: number, options?: { readonly all?: boolean }): Promise<boolean>;
}

/** What runs, independent of where. Users are already numbers. */
export interface SpecProcessInput {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
  readonly capabilities: readonly string[];
  /** A user other than root holds them, too, instead of having them in its bounding set only. Default false. */
  readonly holdsCapabilities?: boolean;
  readonly noNewPrivileges: boolean;
  readonly rlimits: readonly Rlimit[];
  readonly oomScoreAdj?: number;
  readonly apparmorProfile?: string;
  readonly selinuxLabel?: string;
}

/** Everything {@link buildSpec} needs; the containers room fills it from its model. */
export interface SpecInput {
  readonly id: string;
  readonly rootfs: string;
  readonly readonlyRootfs: boolean;
  readonly hostname: string | undefined;
  readonly domainname: string | undefined;
  readonly process: SpecProcessInput;
  readonly terminal: boolean;
  readonly consoleSize?: TerminalSize;
  /** Namespaces to make (no path) or join (path). Missing types are shared with the host. */
  readonly namespaces: readonly { readonly type: NamespaceType; readonly path?: string }[];
  readonly uidMappings?: readonly IdMapping[];
  readonly gidMappings?: readonly IdMapping[];
  /** User mounts, after the default ones; a mount on a default destination replaces it. */
  readonly mounts: readonly SpecMount[];
  /** Of /dev/shm; undefined: there is none. */
  readonly shmSizeBytes: number | undefined;
  /** Host path to bind on /dev/shm instead of a fresh tmpfs (ipc sharing). */
  readonly shmPath?: string;
  readonly devices: readonly SpecDevice[];
  readonly deviceRules: readonly {
    readonly allow: boolean;
    readonly type?: string;
    readonly major?: number;
    readonly minor?: number;
    readonly access?: string;
  }[];
  readonly privileged: boolean;
  /** The cgroup file system is writable without `privileged`. Default false. */
  readonly writableCgroups?: boolean;
  readonly resources: SpecResources;
  /** Path relative to the cgroup root, such as `/gantry/<id>`. */
  readonly cgroupsPath: string;
  readonly sysctls: Readonly<Record<string, string>>;
  readonly seccomp: SeccompChoice;
  /** Undefined: docker's defaults; empty: none. */
  readonly maskedPaths: readonly string[] | undefined;
  readonly readonlyPaths: readonly string[] | undefined;
  readonly mountLabel?: string;
  /** Never from clients: these programs run on the host. */
  readonly hooks?: SpecHooks;
  readonly intelRdt?: Readonly<Record<string, unknown>>;
  /** From clients; `run.oci.*` is stripped. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Absolute path of the init binary on the host, for `--init`; bound to /sbin/docker-init and put in front of the command. */
  readonly initPath?: string;
}

export type SeccompChoice =
  | { readonly kind: 'default' }
  | { readonly kind: 'unconfined' }
  /** A profile in docker's JSON format. */
  | { readonly kind: 'custom'; readonly profile: string };

/** A compiled seccomp filter, cached by profile, capabilities, architecture and library version. */
export interface CompiledSeccomp {
  readonly key: Digest;
  /** Raw `struct sock_filter` array. */
  readonly bpf: Uint8Array;
}
