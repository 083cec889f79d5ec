import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { conflict, errnoCode, internal, withDeadline } from '#base';
import type { Spec } from '#oci';
import { isKnown } from './binaries.ts';
import { CONTAINER_FDS, containerArguments, LOG_DIRECTORY_LINK, needsLogLink } from './conmon/arguments.ts';
import { type Conmon, spawnConmon } from './conmon/spawn.ts';
import type { RuntimeContext } from './context.ts';
import { createFailed, describeFailure } from './errors.ts';
import { identify, type ProcessIdentity } from './liveness.ts';
import { checkProcMounts } from './proc-mounts.ts';
import { type TaskRecord, writeFinalRecord, writeRecord } from './record.ts';
import { removeTask } from './remove.ts';
import { serializeSpec } from './spec/serialize.ts';
import { dropStagedMounts, StagedMounts } from './staged-mounts.ts';
import { ConmonTask } from './task.ts';
import type { RuntimeBinary, TaskOptions } from './types.ts';

const NO_PROCESS: ProcessIdentity = { pid: 0, startTime: '' };

/** Makes the container; its init waits for `start`. Whatever fails, nothing is left behind. */
export async function createTask(
  options: TaskOptions,
  runtimeName: string,
  context: RuntimeContext,
): Promise<ConmonTask> {
  options.signal?.throwIfAborted();
  checkProcMounts(options.spec, context.sys.files);
  const draft = draftRecord(options, runtimeName);
  context.cgroupParents.use(dirname(draft.cgroupsPath));
  const spec = await context.seccomp.prepare(options.spec, runtimeName);
  claim(options, context);
  try {
    const files = context.layout.task(options.id);
    using staged = context.namespace && new StagedMounts(files.mounts, context.namespace, context.sys);
    const seen = staged?.stage(spec) ?? spec;
    writeFileSync(files.config, serializeSpec(seen), { mode: 0o600 });
    // Before the container exists, so that a successor of a killed daemon knows which cgroup to clean.
    writeRecord(files.record, draft);
    const task = await launch(options, draft, context, staged);
    options.signal?.throwIfAborted();
    if (staged && isDoneWithMounts(spec, context.binary(runtimeName))) dropStagedMounts(options.id, context);
    return task;
  } catch (error) {
    await removeTask(options.id, context).catch((cause: unknown) =>
      context.logger.warn('cannot clean up after a failed create', { container: options.id, cause }),
    );
    throw error;
  }
}

/** Whether the runtime needs what it was shown no more, once the container is made. Hooks may look at it later. */
const isDoneWithMounts = ({ hooks }: Spec, runtime: RuntimeBinary): boolean =>
  isKnown(runtime) && !hooks?.poststart?.length && !hooks?.poststop?.length;

function draftRecord(options: TaskOptions, runtime: string): TaskRecord {
  const cgroupsPath = options.spec.linux.cgroupsPath;
  if (!cgroupsPath?.startsWith('/')) throw internal('the spec has no absolute cgroupsPath');
  const { id, terminal, openStdin, stdinOnce, logPath } = options;
  return {
    version: 1,
    id,
    runtime,
    cgroupsPath,
    terminal,
    openStdin,
    stdinOnce,
    logPath,
    init: NO_PROCESS,
    monitor: NO_PROCESS,
    ...(options.spec.hooks?.poststop?.length ? { hasPoststop: true } : {}),
  };
}

/** The directory is the lock: one container of this id at a time. */
function claim({ id, logPath }: TaskOptions, context: RuntimeContext): void {
  const files = context.layout.task(id);
  try {
    mkdirSync(files.directory, { mode: 0o700 });
  } catch (error) {
    if (errnoCode(error) === 'EEXIST') throw conflict(`container with id exists: ${id}`, { cause: error });
    throw error;
  }
  mkdirSync(files.execs, { mode: 0o700 });
  // Of an earlier container of this id whose removal was interrupted.
  rmSync(join(context.layout.exits, id), { force: true });
  if (logPath !== undefined && needsLogLink(logPath))
    symlinkSync(dirname(logPath), join(files.directory, LOG_DIRECTORY_LINK));
}

async function launch(
  options: TaskOptions,
  draft: TaskRecord,
  context: RuntimeContext,
  staged: StagedMounts | undefined,
): Promise<ConmonTask> {
  const runtime = context.binary(draft.runtime);
  const conmon = await spawnConmon({
    path: context.conmonPath,
    args: containerArguments({ ...draft, runtimeName: draft.runtime, runtime }, context.layout),
    directory: context.layout.task(draft.id).directory,
    fds: CONTAINER_FDS,
    runtime: staged ? { ...runtime, enter: (start) => staged.run(start) } : runtime,
    sys: context.sys,
  });
  try {
    // None: it has failed and ended by now, and its answer says why.
    const monitor = identify(conmon.pid);
    // Before the answer: a successor of a daemon killed from here on finds the monitor.
    if (monitor) writeRecord(context.layout.task(draft.id).record, { ...draft, monitor });
    const pid = await withDeadline(initPid(conmon, options, staged), context.deadlines.createMs, 'create');
    const record = { ...draft, monitor: monitor ?? mustIdentify(conmon.pid), init: mustIdentify(pid) };
    writeFinalRecord(context.layout.task(draft.id).record, record);
    return new ConmonTask(record, context, conmon.exited);
  } catch (error) {
    conmon.kill(9);
    throw error;
  } finally {
    // conmon keeps its ends open for as long as it lives.
    conmon.close();
  }
}

async function initPid(
  conmon: Conmon,
  options: TaskOptions,
  staged: StagedMounts | undefined,
): Promise<number> {
  const answer = await conmon.sync.next();
  if (answer !== undefined && answer.data > 0) return answer.data;
  if (answer?.message !== undefined) {
    const message = staged?.withSources(answer.message) ?? answer.message;
    throw createFailed(describeFailure(message, 'create', commandOf(options)));
  }
  throw internal(`the monitor ended before the container was made: ${conmon.complaint().trim()}`);
}

/** The user's command: with `--init` it stands behind the init binary, which is what the runtime looks up. */
const commandOf = (options: TaskOptions): string => options.spec.process.args[0] ?? '';

function mustIdentify(pid: number): ProcessIdentity {
  const identity = identify(pid);
  if (!identity) throw internal('the container ended before it was started', { details: { pid } });
  return identity;
}
