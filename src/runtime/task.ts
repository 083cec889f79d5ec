import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { conflict, deadlineExceeded, internal, withDeadline } from '#base';
import type { SpecResources } from '#oci';
import type { Fd } from '#sys';
import { freeze, isFrozen, liftLimits, moveCpusets, thaw, wasOomKilled } from './cgroup-policy.ts';
import { type CommandResult, callRuntime } from './command.ts';
import { closesStdin } from './conmon/arguments.ts';
import { AttachHub } from './conmon/attach-hub.ts';
import { sendReopenLog, sendResize } from './conmon/control.ts';
import type { RuntimeContext } from './context.ts';
import { createFailed, describeFailure } from './errors.ts';
import { startExec } from './exec.ts';
import { adoptExecs } from './exec-adopt.ts';
import { type RecordedExit, readExitFile, UNKNOWN_EXIT } from './exit-watch.ts';
import type { TaskLayout } from './layout.ts';
import { lastingAnswer, lastingProcessEnd, openProcess } from './liveness.ts';
import { hasRunOutOfMemory, watchOom } from './oom-watch.ts';
import { type TaskRecord, writeAtomically } from './record.ts';
import type {
  AdoptedExec,
  AttachStream,
  ExecOptions,
  ExecProcess,
  ExitStatus,
  Task,
  TerminalSize,
} from './types.ts';

const SIGKILL = 9;
const REOPEN_DEADLINE_MS = 5000;
const REOPEN_POLL_MS = 2;

/** A container with its conmon. All its state is in {@link TaskRecord}, the files beside it and the kernel. */
export class ConmonTask implements Task {
  readonly record: TaskRecord;
  readonly exited: Promise<ExitStatus>;
  readonly #context: RuntimeContext;
  readonly #files: TaskLayout;
  readonly #hub: AttachHub;
  /** Undefined once init has ended. */
  #init: Fd | undefined;

  /** `monitorEnd` resolves when conmon is gone. */
  constructor(record: TaskRecord, context: RuntimeContext, monitorEnd: Promise<unknown>) {
    this.record = record;
    this.#context = context;
    this.#files = context.layout.task(record.id);
    this.#hub = new AttachHub({
      path: this.#files.attachSocket,
      sys: context.sys,
      openStdin: record.openStdin,
      stdinOnce: closesStdin(record),
    });
    this.#init = openProcess(record.init, context.sys);
    this.exited = this.#watchExit(monitorEnd);
  }

  get id(): string {
    return this.record.id;
  }

  get pid(): number {
    return this.record.init.pid;
  }

  get monitorPid(): number {
    return this.record.monitor.pid;
  }

  async start(): Promise<void> {
    const { exitCode, stderr } = await this.#call('start', this.id);
    if (exitCode !== 0) throw createFailed(describeFailure(stderr, 'create', ''));
  }

  async kill(signal: number, options: { readonly all?: boolean } = {}): Promise<boolean> {
    const sent = options.all ? this.#signalAll(signal) : this.#signalInit(signal);
    // A frozen process takes even SIGKILL only when it runs again.
    if (sent && signal === SIGKILL && isFrozen(this.record.cgroupsPath, this.#context.sys))
      thaw(this.record.cgroupsPath, this.#context.sys);
    return sent;
  }

  async pause(): Promise<void> {
    await freeze(this.record.cgroupsPath, this.#context.sys);
  }

  isPaused(): boolean {
    return isFrozen(this.record.cgroupsPath, this.#context.sys);
  }

  async resume(): Promise<void> {
    thaw(this.record.cgroupsPath, this.#context.sys);
  }

  async update(resources: SpecResources): Promise<void> {
    const file = `${this.#files.directory}/update.json`;
    const { cgroupsPath } = this.record;
    const { sys, execCgroups } = this.#context;
    const rest = liftLimits(resources, cgroupsPath, sys);
    if (resources.cpu) moveCpusets(resources.cpu, cgroupsPath, execCgroups.paths(this.record), sys);
    writeAtomically(file, JSON.stringify(rest));
    const { exitCode, stderr } = await this.#call('update', '--resources', file, this.id);
    if (exitCode !== 0)
      throw internal(`cannot update the container's resources: ${stderr.trim()}`, {
        details: { exitCode },
      });
  }

  attach(): Promise<AttachStream> {
    return this.#hub.attach();
  }

  resize(size: TerminalSize): Promise<void> {
    return sendResize(this.#files.controlFifo, size);
  }

  async reopenLog(): Promise<void> {
    const { logPath } = this.record;
    if (logPath === undefined) return;
    if (existsSync(logPath)) throw conflict('the log must be renamed before it is opened anew');
    if (!(await sendReopenLog(this.#files.controlFifo))) return;
    const end = Date.now() + REOPEN_DEADLINE_MS;
    while (!existsSync(logPath)) {
      if (Date.now() > end) throw deadlineExceeded('the monitor did not open the log anew');
      await sleep(REOPEN_POLL_MS);
    }
  }

  exec(options: ExecOptions): Promise<ExecProcess> {
    return startExec(options, this.record, this.#context);
  }

  watchOom(listener: () => void): Disposable {
    const hasKilled = () => wasOomKilled(this.record.cgroupsPath, this.#context.sys);
    return watchOom(this.#files, hasKilled, listener);
  }

  adoptExecs(): AdoptedExec[] {
    return adoptExecs(this.record, this.#context);
  }

  processes(): number[] {
    return this.#context.sys.cgroups.processes(this.record.cgroupsPath);
  }

  /** Lets go of descriptors and connections; the container goes on. */
  release(): void {
    this.#hub.close();
    this.#closeInit();
  }

  #call(...args: string[]): Promise<CommandResult> {
    return callRuntime({
      runtime: this.#context.binary(this.record.runtime),
      stateRoot: this.#context.layout.state(this.record.runtime),
      args,
      deadlineMs: this.#context.deadlines.commandMs,
    });
  }

  #signalInit(signal: number): boolean {
    return this.#init !== undefined && this.#context.sys.processes.pidfdSignal(this.#init, signal);
  }

  #signalAll(signal: number): boolean {
    const sent = this.processes().map((pid) => this.#context.sys.processes.kill(pid, signal));
    return sent.includes(true);
  }

  async #watchExit(monitorEnd: Promise<unknown>): Promise<ExitStatus> {
    const recorded = await this.#recordedExit(monitorEnd);
    // Read while the cgroup is still there; conmon's own mark may come too late or be missed.
    const oomKilled = await lastingAnswer(
      () => hasRunOutOfMemory(this.#files) || wasOomKilled(this.record.cgroupsPath, this.#context.sys),
      this.#context.closing,
    );
    this.#closeInit();
    await withDeadline(this.#hub.drained(), this.#context.deadlines.drainMs, 'output').catch(() =>
      this.#context.logger.warn('output of an ended container did not end', { container: this.id }),
    );
    return { ...recorded, oomKilled };
  }

  /** The exit file comes with an event; if the monitor is lost without writing it, init itself is watched. */
  async #recordedExit(monitorEnd: Promise<unknown>): Promise<RecordedExit> {
    const file = new Promise<void>((resolve) => this.#context.exits.expect(this.id, resolve));
    await Promise.race([file, monitorEnd]);
    this.#context.exits.forget(this.id);
    const recorded = await this.#readExit();
    if (recorded) return recorded;
    this.#context.logger.warn('the monitor of a container is gone', { container: this.id });
    await lastingProcessEnd(this.record.init, this.#context.sys, this.#context.closing);
    // It may have been taken for gone while it was only out of sight.
    const late = await this.#readExit();
    if (late) return late;
    return {
      exitCode: UNKNOWN_EXIT,
      exitedAt: new Date().toISOString(),
      unknownReason: "the container's monitor was lost before it could take it",
    };
  }

  #readExit(): Promise<RecordedExit | undefined> {
    return lastingAnswer(() => readExitFile(this.#files.exitFile), this.#context.closing);
  }

  #closeInit(): void {
    if (this.#init !== undefined) this.#context.sys.processes.closeFd(this.#init);
    this.#init = undefined;
  }
}
