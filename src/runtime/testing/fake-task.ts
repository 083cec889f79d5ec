import { conflict, notFound } from '#base';
import type { SpecResources } from '#oci';
import type {
  AdoptedExec,
  AttachStream,
  ExecOptions,
  ExecProcess,
  ExitStatus,
  Task,
  TaskOptions,
  TerminalSize,
} from '../types.ts';
import { FakeStreams } from './fake-stream.ts';

const FATAL_BY_DEFAULT = new Set([1, 2, 3, 6, 9, 15]);

/** What tests drive: a process that never runs, but ends, prints and takes signals when told. */
abstract class FakeProcess {
  readonly streams = new FakeStreams();
  readonly signals: number[] = [];
  readonly sizes: TerminalSize[] = [];
  readonly pid: number;
  /** Signals that do not end the process (default: none). SIGKILL always does. */
  readonly ignoredSignals = new Set<number>();
  readonly #exit = Promise.withResolvers<ExitStatus>();
  #ended = false;

  constructor(pid: number) {
    this.pid = pid;
  }

  get exited(): Promise<ExitStatus> {
    return this.#exit.promise;
  }

  get hasExited(): boolean {
    return this.#ended;
  }

  /** Prints to attached clients. */
  emit(stream: 'stdout' | 'stderr', data: string | Uint8Array): void {
    this.streams.emit(stream, data);
  }

  /** Ends the process. A second call does nothing. */
  exit(exitCode: number, details: Partial<Omit<ExitStatus, 'exitCode'>> = {}): void {
    if (this.#ended) return;
    this.#ended = true;
    this.streams.end();
    this.#exit.resolve({
      exitCode,
      exitedAt: new Date().toISOString(),
      oomKilled: false,
      ...details,
    });
  }

  /** Signals that were sent to everything the process has started. */
  readonly signalsToAll: number[] = [];

  async kill(signal: number, options: { readonly all?: boolean } = {}): Promise<boolean> {
    if (options.all) this.signalsToAll.push(signal);
    if (this.#ended) return false;
    this.signals.push(signal);
    const fatal = signal === 9 || (FATAL_BY_DEFAULT.has(signal) && !this.ignoredSignals.has(signal));
    if (fatal) this.exit(128 + signal);
    return true;
  }

  async resize(size: TerminalSize): Promise<void> {
    this.sizes.push(size);
  }
}

/** One exec of a {@link FakeTask}. */
export class FakeExec extends FakeProcess implements ExecProcess {
  readonly options: ExecOptions;
  readonly stream: AttachStream | undefined;

  constructor(pid: number, options: ExecOptions) {
    super(pid);
    this.options = options;
    this.stream = options.attachOutput || options.openStdin ? this.streams.attach() : undefined;
  }

  get execId(): string {
    return this.options.execId;
  }
}

/** An in-memory {@link Task}. `options` is what `create` was given. */
export class FakeTask extends FakeProcess implements Task {
  readonly options: TaskOptions;
  readonly monitorPid: number;
  readonly execs = new Map<string, FakeExec>();
  readonly updates: SpecResources[] = [];
  started = false;
  paused = false;
  reopenedLogs = 0;
  /** Listeners for the lack of memory. */
  readonly oomListeners = new Set<() => void>();
  /** Thrown by the next `start`. */
  startError: Error | undefined;
  /** Thrown by the next `exec`. */
  execError: Error | undefined;
  /** Called for each exec, so that a test can script it. */
  onExec: ((exec: FakeExec) => void) | undefined;

  constructor(options: TaskOptions, pid: number) {
    super(pid);
    this.options = options;
    this.monitorPid = pid + 1;
  }

  get id(): string {
    return this.options.id;
  }

  async start(): Promise<void> {
    const error = this.startError;
    this.startError = undefined;
    if (error) throw error;
    this.started = true;
  }

  override exit(...args: Parameters<FakeProcess['exit']>): void {
    for (const exec of this.execs.values()) exec.exit(137);
    super.exit(...args);
  }

  async pause(): Promise<void> {
    if (this.hasExited) throw notFound(`container ${this.id} is not running`);
    if (this.paused) throw conflict(`Container ${this.id} is already paused`);
    this.paused = true;
  }

  isPaused(): boolean {
    return this.paused;
  }

  async resume(): Promise<void> {
    if (!this.paused) throw conflict(`Container ${this.id} is not paused`);
    this.paused = false;
  }

  async update(resources: SpecResources): Promise<void> {
    this.updates.push(resources);
  }

  async attach(): Promise<AttachStream> {
    return this.streams.attach();
  }

  async reopenLog(): Promise<void> {
    this.reopenedLogs += 1;
  }

  async exec(options: ExecOptions): Promise<ExecProcess> {
    const error = this.execError;
    this.execError = undefined;
    if (error) throw error;
    if (this.hasExited) throw conflict(`container ${this.id} is not running`);
    const exec = new FakeExec(this.pid + 10 + this.execs.size, options);
    this.execs.set(options.execId, exec);
    this.onExec?.(exec);
    return exec;
  }

  /** What a successor finds: the execs that have not ended. */
  adoptExecs(): AdoptedExec[] {
    return [...this.execs.values()]
      .filter((exec) => !exec.hasExited)
      .map((process) => ({ process, note: process.options.note }));
  }

  watchOom(listener: () => void): Disposable {
    this.oomListeners.add(listener);
    return { [Symbol.dispose]: () => this.oomListeners.delete(listener) };
  }

  /** The container runs out of memory. */
  runOutOfMemory(): void {
    for (const listener of this.oomListeners) listener();
  }

  processes(): number[] {
    if (this.hasExited) return [];
    const execs = [...this.execs.values()].filter((exec) => !exec.hasExited);
    return [this.pid, ...execs.map((exec) => exec.pid)];
  }
}
