import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { conflict, errorMessage, internal, withDeadline } from '#base';
import { CONTAINER_FDS, EXEC_FDS, execArguments } from './conmon/arguments.ts';
import { AttachHub } from './conmon/attach-hub.ts';
import { sendResize } from './conmon/control.ts';
import { type Conmon, spawnConmon } from './conmon/spawn.ts';
import type { SyncMessage } from './conmon/sync-socket.ts';
import type { RuntimeContext } from './context.ts';
import { describeFailure, execFailed } from './errors.ts';
import type { ExecCgroup } from './exec-cgroup.ts';
import type { ExecLayout } from './layout.ts';
import { identify, openProcess, type ProcessIdentity } from './liveness.ts';
import type { TaskRecord } from './record.ts';
import { buildProcess } from './spec/build-spec.ts';
import { serializeProcess } from './spec/serialize.ts';
import type { AttachStream, ExecOptions, ExecProcess, ExitStatus } from './types.ts';

const UNKNOWN_EXIT = 137;

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
  prepare(files, options);
  const attach = options.attachOutput || options.openStdin;
  const runtime = context.binary(task.runtime);
  const cgroup = await context.execCgroups.create(options.execId, task, runtime);
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
  try {
    return await withDeadline(
      launch(options, conmon, { files, attach, cgroup }, context),
      context.deadlines.createMs,
      'exec',
    );
  } catch (error) {
    conmon.kill(9);
    conmon.sync.close();
    cgroup?.release();
    rmSync(files.directory, { recursive: true, force: true });
    throw error;
  }
}

function prepare(files: ExecLayout, options: ExecOptions): void {
  try {
    mkdirSync(files.directory, { recursive: false, mode: 0o700 });
  } catch (error) {
    throw conflict(`cannot prepare exec "${options.execId}": ${errorMessage(error)}`, { cause: error });
  }
  writeFileSync(files.process, serializeProcess(buildProcess(options.process, options)), { mode: 0o600 });
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
  const stream = attach ? await connect(conmon, hub, options) : undefined;
  const answer = await conmon.sync.next();
  if (answer === undefined || answer.data < 0) throw await failure(answer, conmon, options);
  const init = identify(answer.data);
  const exited = awaitExit(conmon, hub, place, context, options);
  if (options.terminal && options.consoleSize) await sendResize(files.controlFifo, options.consoleSize);
  return {
    execId: options.execId,
    pid: answer.data,
    stream,
    exited,
    resize: (size) => sendResize(files.controlFifo, size),
    kill: async (signal, { all = false } = {}) =>
      (all ? cgroup?.signal(signal) : undefined) ?? signalProcess(init, signal, context),
  };
}

async function connect(conmon: Conmon, hub: AttachHub, options: ExecOptions): Promise<AttachStream> {
  conmon.sync.proceed();
  const ready = await conmon.sync.next();
  if (ready === undefined || ready.data !== 0) throw await failure(ready, conmon, options);
  const stream = await hub.attach();
  conmon.sync.proceed();
  return stream;
}

async function failure(
  answer: SyncMessage | undefined,
  conmon: Conmon,
  options: ExecOptions,
): Promise<Error> {
  if (answer?.message === undefined)
    return internal(`the monitor of an exec ended early: ${(await conmon.complaint()).trim()}`);
  return execFailed(describeFailure(answer.message, 'exec', options.process.args[0] ?? ''));
}

/** The second message is the exit code. conmon closes the attach socket before it sends it. */
async function awaitExit(
  conmon: Conmon,
  hub: AttachHub,
  { files, cgroup }: ExecPlace,
  context: RuntimeContext,
  options: ExecOptions,
): Promise<ExitStatus> {
  const last = await conmon.sync.next().catch(() => undefined);
  const exitedAt = new Date().toISOString();
  conmon.sync.close();
  await withDeadline(hub.drained(), context.deadlines.drainMs, 'output').catch(() =>
    context.logger.warn('output of an ended exec did not end', { exec: options.execId }),
  );
  await conmon.exited;
  cgroup?.release();
  rmSync(files.directory, { recursive: true, force: true });
  return { exitCode: (last?.data ?? UNKNOWN_EXIT) & 0xff, exitedAt, oomKilled: false };
}

function signalProcess(
  identity: ProcessIdentity | undefined,
  signal: number,
  context: RuntimeContext,
): boolean {
  const fd = identity && openProcess(identity, context.sys);
  if (fd === undefined) return false;
  try {
    return context.sys.processes.pidfdSignal(fd, signal);
  } finally {
    context.sys.processes.closeFd(fd);
  }
}
