import { createId, errorMessage, GantryError, SIGNALS } from '#base';
import type { AdoptedExec, ExecProcess, Task, TerminalSize } from '#runtime';
import type { Companion } from '../companions.ts';
import type { Engine } from '../engine.ts';
import {
  execAlreadyRun,
  execAlreadyRunning,
  execInPaused,
  execNotRunning,
  isRestarting,
  noExecCommand,
  noSuchExec,
  notRunning,
} from '../errors.ts';
import type { Container } from '../model.ts';
import { containerPaths } from '../paths.ts';
import { detachKeysOf } from '../stdio/detach-keys.ts';
import type { ClientStreams, ExecConfig, ExecView } from '../types.ts';
import { type ConversationOptions, converse } from './conversation.ts';
import { EndedExecs } from './ended-execs.ts';
import { encodeNote, tryDecodeNote } from './exec-note.ts';
import { execProcess } from './exec-process.ts';
import { type ExecRecord, viewOf } from './exec-record.ts';

const CANNOT_RUN = 126;
/** For execs of clients that know nothing of {@link ExecConfig.killOnDisconnect}. */
const KILL_LABEL = 'gantry.exec.kill-on-disconnect';
const wantsKill = ({ config }: Container): boolean => config.labels[KILL_LABEL] === 'true';

export interface ExecStart {
  readonly detach: boolean;
  readonly consoleSize?: TerminalSize;
  /** Called as soon as the process runs. */
  readonly onStarted?: () => void;
}

/** Additional processes in running containers. */
export class ExecService implements Companion {
  readonly #engine: Engine;
  readonly #records = new Map<string, ExecRecord>();
  readonly #ended = new EndedExecs((execId) => this.#records.delete(execId));

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** @throws docker's texts: `conflict` when the container does not run or is paused. */
  create(ref: string, config: ExecConfig): { id: string } {
    const { container } = this.#active(ref);
    if (config.cmd.length === 0) throw noExecCommand();
    // It is started right after, as a rule.
    this.#engine.sys.cgroups.expectAttach();
    const record: ExecRecord = {
      id: createId(),
      containerId: container.id,
      config: { ...config, killOnDisconnect: config.killOnDisconnect ?? wantsKill(container) },
      detachKeys: detachKeysOf(config.detachKeys),
      status: 'created',
      exitCode: undefined,
      pid: 0,
      process: undefined,
      starting: undefined,
    };
    this.#add(record);
    this.#publish(container, record, `exec_create: ${config.cmd.join(' ')}`);
    return { id: record.id };
  }

  #add(record: ExecRecord): void {
    this.#records.set(record.id, record);
    this.#engine.instances.of(record.containerId).execIds.add(record.id);
  }

  /** Takes over the execs that an earlier daemon has started. Their clients have lost their connections with it. */
  adopt(container: Container, task: Task): void {
    const { logger } = this.#engine;
    try {
      for (const exec of task.adoptExecs()) this.#adoptOne(container, exec);
    } catch (error) {
      logger.warn('execs not adopted', { container: container.id, error: errorMessage(error) });
    }
  }

  #adoptOne({ id: containerId }: Container, { process, note }: AdoptedExec): void {
    const known = tryDecodeNote(note);
    if (!known) return;
    const { config, isAttached } = known;
    const record: ExecRecord = {
      id: process.execId,
      containerId,
      config,
      detachKeys: detachKeysOf(config.detachKeys),
      status: 'running',
      exitCode: undefined,
      pid: process.pid,
      process,
      starting: undefined,
    };
    this.#add(record);
    void this.#watch(record, process);
    if (isAttached) this.#clientGone(record);
  }

  #clientGone({ id, config }: ExecRecord): void {
    if (config.killOnDisconnect) void this.kill(id, SIGNALS.KILL, { all: true }).catch(() => {});
  }

  inspect(execId: string): ExecView {
    return viewOf(this.#record(execId));
  }

  begin(): void {}

  /** What was prepared for a run that is over cannot be started any more. What has run can still be inspected. */
  end(containerId: string): void {
    for (const { id, status } of this.#of(containerId)) if (status === 'created') this.drop(id);
  }

  /** Ends the timers; records go with the process. */
  async close(): Promise<void> {
    this.#ended.close();
  }

  #of(containerId: string): ExecRecord[] {
    return [...this.#records.values()].filter((record) => record.containerId === containerId);
  }

  /** Forgets the execs of a container that is gone. */
  forget(containerId: string): void {
    for (const { id } of this.#of(containerId)) this.drop(id);
  }

  /** Forgets one exec at once: nobody else knows its ID. */
  drop(execId: string): void {
    const record = this.#records.get(execId);
    this.#records.delete(execId);
    this.#ended.forget(execId);
    if (record) this.#engine.instances.peek(record.containerId)?.execIds.delete(execId);
  }

  /**
   * Signal to the process and, with `all`, to everything it has started (F15).
   * @throws `not_found`, `conflict` when it does not run.
   */
  async kill(execId: string, signal: number, options: { readonly all?: boolean } = {}): Promise<void> {
    const record = this.#record(execId);
    const process = await this.#running(record);
    await process.kill(signal, options);
    const container = this.#engine.registry.byId(record.containerId);
    if (container) this.#publish(container, record, 'exec_kill', { signal: String(signal) });
  }

  get count(): number {
    return this.#records.size;
  }

  async resize(execId: string, size: TerminalSize): Promise<void> {
    const process = await this.#running(this.#record(execId));
    await process.resize(size);
  }

  /** Waits for a start that is under way: clients send signals and sizes as soon as they are connected. */
  async #running(record: ExecRecord): Promise<ExecProcess> {
    await record.starting?.catch(() => {});
    if (!record.process || record.status !== 'running') throw execNotRunning(record.id);
    return record.process;
  }

  #record(execId: string): ExecRecord {
    const record = this.#records.get(execId);
    if (!record) throw noSuchExec(execId);
    return record;
  }

  #active(ref: string): { container: Container; task: Task } {
    const container = this.#engine.registry.resolve(ref);
    const { status } = container.state;
    const task = this.#engine.instances.peek(container.id)?.task;
    if (status === 'restarting') throw isRestarting(container.id);
    if (status === 'paused') throw execInPaused(ref);
    if (status !== 'running' || !task) throw notRunning(container.id);
    return { container, task };
  }

  /** Checks at once; the process starts in `run`, which ends with the process or when a client has detached or gone. */
  start(execId: string, options: ExecStart): { run(streams: ClientStreams | undefined): Promise<void> } {
    const record = this.#record(execId);
    if (record.status === 'exited') throw execAlreadyRun(execId);
    if (record.status === 'running') throw execAlreadyRunning(execId);
    this.#active(record.containerId);
    record.status = 'running';
    return { run: (streams) => this.#run(record, options, options.detach ? undefined : streams) };
  }

  async #run(record: ExecRecord, options: ExecStart, streams: ClientStreams | undefined): Promise<void> {
    const started = this.#spawn(record, options, streams !== undefined);
    record.starting = started;
    const process = await started;
    options.onStarted?.();
    const ended = this.#watch(record, process);
    const { stream } = process;
    if (streams && stream) await this.#converse(record, { stream, streams, ended });
  }

  async #spawn(record: ExecRecord, options: ExecStart, isAttached: boolean): Promise<ExecProcess> {
    const { config } = record;
    const consoleSize = options.consoleSize ?? config.consoleSize;
    try {
      const { container, task } = this.#active(record.containerId);
      this.#publish(container, record, `exec_start: ${config.cmd.join(' ')}`);
      record.process = await task.exec({
        execId: record.id,
        process: execProcess(this.#engine, container, config),
        terminal: config.tty,
        openStdin: isAttached && config.attachStdin,
        attachOutput: isAttached && (config.attachStdout || config.attachStderr),
        note: encodeNote(config, isAttached),
        ...(consoleSize ? { consoleSize } : {}),
      });
      record.pid = record.process.pid;
      return record.process;
    } catch (error) {
      const given = error instanceof GantryError ? error.details?.['exitCode'] : undefined;
      this.#end(record, typeof given === 'number' ? given : CANNOT_RUN);
      throw error;
    }
  }

  /** Resolves when the exit has been recorded. */
  #watch(record: ExecRecord, process: ExecProcess): Promise<void> {
    return process.exited.then(({ exitCode }) => {
      this.#end(record, exitCode);
      const container = this.#engine.registry.byId(record.containerId);
      if (container) this.#publish(container, record, 'exec_die', { exitCode: String(exitCode) });
    });
  }

  #end(record: ExecRecord, exitCode: number): void {
    record.status = 'exited';
    record.exitCode = exitCode;
    record.process = undefined;
    record.starting = undefined;
    this.#engine.instances.peek(record.containerId)?.execIds.delete(record.id);
    if (this.#records.has(record.id)) this.#ended.keep(record.id);
  }

  async #converse(record: ExecRecord, conversation: Omit<ConversationOptions, 'record' | 'spillDirectory'>) {
    const { directory: spillDirectory } = containerPaths(this.#engine.dataRoot, record.containerId);
    const end = await converse({ ...conversation, record, spillDirectory });
    const container = this.#engine.registry.byId(record.containerId);
    if (end === 'detached' && container) this.#publish(container, record, 'exec_detach');
    if (end === 'gone') this.#clientGone(record);
  }

  #publish(
    container: Container,
    record: ExecRecord,
    action: string,
    attributes: Readonly<Record<string, string>> = {},
  ): void {
    try {
      this.#engine.events.publish(container, action, { execID: record.id, ...attributes });
    } catch (error) {
      this.#engine.logger.warn('exec event not published', { error: errorMessage(error) });
    }
  }
}
