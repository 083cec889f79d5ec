import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { conflict, errorCode, errorMessage, internal, withDeadline } from '#base';
import { CONTAINER_FDS, EXEC_FDS, execArguments } from './conmon/arguments.ts';
import { AttachHub } from './conmon/attach-hub.ts';
import { sendResize } from './conmon/control.ts';
import { type Conmon, spawnConmon } from './conmon/spawn.ts';
import type { SyncMessage } from './conmon/sync-socket.ts';
import type { RuntimeContext } from './context.ts';
import { describeFailure, execFailed, RELATIVE_DIRECTORY } from './errors.ts';
import type { ExecCgroup } from './exec-cgroup.ts';
import { removeExecFiles, writeExecRecord } from './exec-record.ts';
import { endStartersPatiently } from './exec-starters.ts';
import { UNKNOWN_EXIT } from './exit-watch.ts';
import type { ExecLayout } from './layout.ts';
import { identify, lastingProcessEnd, type ProcessIdentity, signalProcess } from './liveness.ts';
import { presetTerminalSize } from './programs/terminal-size.ts';
import type { TaskRecord } from './record.ts';
import { buildProcess } from './spec/build-spec.ts';
import { serializeProcess } from './spec/serialize.ts';
import type { AttachStream, ExecOptions, ExecProcess, ExitStatus } from './types.ts';

const SIGKILL = 9;

/**
 * Starts one more process in a container, with a conmon of its own.
 *
 * With attach the order is: start byte → conmon listens and says 0 → we connect → second start byte → it runs the
 * process and says its PID → exit code. So no output can be missed.
 */
export async function startExec(
  options: ExecOptions,
  task: TaskRecord,
  context: RuntimeContext,
): Promise<ExecProcess> {
  const files = context.layout.task(task.id).exec(options.execId);
  if (!options.process.cwd.startsWith('/')) throw execFailed(RELATIVE_DIRECTORY);
  claim(files, options);
  await using undo = new AsyncDisposableStack();
  undo.defer(() => removeExecFiles(files));
  writeFileSync(files.process, serializeProcess(buildProcess(options.process, options)), { mode: 0o600 });
  const attach = options.attachOutput || options.openStdin;
  const plain = context.binary(task.runtime);
  using preset =
    options.terminal && options.consoleSize
      ? presetTerminalSize(plain, options.consoleSize, context.sys)
      : undefined;
  const runtime = preset?.runtime ?? plain;
  const cgroup = await context.execCgroups.create(options.execId, task, runtime);
  undo.defer(() => cgroup?.release());
  const conmon = await spawnConmon({
    path: context.conmonPath,
    args: execArguments(
      { terminal: options.terminal, openStdin: options.openStdin, attach, cgroup: cgroup?.name },
      { id: task.id, runtimeName: task.runtime, runtime },
      context.layout,
      files,
    ),
    directory: files.directory,
    fds: attach ? EXEC_FDS : CONTAINER_FDS,
    runtime,
    sys: context.sys,
  });
  undo.defer(() => conmon.close());
  const started = launch(options, conmon, { files, attach, cgroup }, context);
  try {
    const exec = await withDeadline(started, context.deadlines.createMs, 'exec');
    undo.move();
    return exec;
  } catch (error) {
    conmon.kill(SIGKILL);
    // A runtime that is only slow may have started the process, or be about to.
    if (isDeadline(error)) await endStartersPatiently(files, cgroup, context.sys);
    throw error;
  }
}

const isDeadline = (error: unknown): boolean => errorCode(error) === 'deadline_exceeded';

function claim(files: ExecLayout, options: ExecOptions): void {
  try {
    mkdirSync(files.directory, { recursive: false, mode: 0o700 });
  } catch (error) {
    throw conflict(`cannot prepare exec "${options.execId}": ${errorMessage(error)}`, { cause: error });
  }
}

/** What belongs to one exec besides its process. */
interface ExecPlace {
  readonly files: ExecLayout;
  readonly attach: boolean;
  readonly cgroup: ExecCgroup | undefined;
}

async function launch(
  options: ExecOptions,
  conmon: Conmon,
  place: ExecPlace,
  context: RuntimeContext,
): Promise<ExecProcess> {
  const { files, attach, cgroup } = place;
  const hub = new AttachHub({
    path: files.attachSocket,
    sys: context.sys,
    openStdin: options.openStdin,
    stdinOnce: !options.terminal,
  });
  const stream = attach ? await connect(conmon, hub, options, files) : undefined;
  const answer = await conmon.sync.next();
  if (answer === undefined || answer.data < 0) throw await failure(answer, conmon, options, files);
  const process = identityOf(answer.data);
  // Of something that has ended already, too: only its exit is still on the way.
  writeExecRecord(files, { version: 1, process, monitor: identityOf(conmon.pid), note: options.note });
  const exited = awaitExit(conmon, hub, { ...place, process }, context, options);
  if (options.terminal && options.consoleSize) await sendResize(files.controlFifo, options.consoleSize);
  return {
    execId: options.execId,
    pid: answer.data,
    stream,
    exited,
    resize: (size) => sendResize(files.controlFifo, size),
    kill: async (signal, { all = false } = {}) =>
      (all ? cgroup?.signal(signal) : undefined) ?? signalProcess(process, signal, context.sys),
  };
}

/** An identity that is nobody's when the process has ended already. */
const identityOf = (pid: number): ProcessIdentity => identify(pid) ?? { pid, startTime: '' };

async function connect(
  conmon: Conmon,
  hub: AttachHub,
  options: ExecOptions,
  files: ExecLayout,
): Promise<AttachStream> {
  conmon.sync.proceed();
  const ready = await conmon.sync.next();
  if (ready === undefined || ready.data !== 0) throw await failure(ready, conmon, options, files);
  const stream = await hub.attach();
  conmon.sync.proceed();
  return stream;
}

async function failure(
  answer: SyncMessage | undefined,
  conmon: Conmon,
  options: ExecOptions,
  files: ExecLayout,
): Promise<Error> {
  const reason =
    answer?.message ?? (existsSync(files.runtimeLog) ? readFileSync(files.runtimeLog, 'utf8') : '');
  if (reason === '') return internal(`the monitor of an exec ended early: ${conmon.complaint().trim()}`);
  return execFailed(describeFailure(reason, 'exec', options.process.args[0] ?? ''));
}

/** The second message is the exit code. conmon closes the attach socket before it sends it. */
async function awaitExit(
  conmon: Conmon,
  hub: AttachHub,
  { files, cgroup, process }: ExecPlace & { readonly process: ProcessIdentity },
  context: RuntimeContext,
  options: ExecOptions,
): Promise<ExitStatus> {
  const last = await conmon.sync.next().catch(() => undefined);
  let exitedAt = new Date().toISOString();
  conmon.close();
  await withDeadline(hub.drained(), context.deadlines.drainMs, 'output').catch(() =>
    context.logger.warn('output of an ended exec did not end', { exec: options.execId }),
  );
  await conmon.exited;
  if (last === undefined) {
    // The monitor was lost, the process goes on without its streams.
    await lastingProcessEnd(process, context.sys, context.closing);
    exitedAt = new Date().toISOString();
  }
  cgroup?.release();
  removeExecFiles(files);
  return { exitCode: (last?.data ?? UNKNOWN_EXIT) & 0xff, exitedAt, oomKilled: false };
}
