import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage } from '#base';
import { isKnown } from './binaries.ts';
import { destroyCgroup } from './cgroup-policy.ts';
import { callRuntime } from './command.ts';
import type { RuntimeContext } from './context.ts';
import { identify, openProcess, processEnd } from './liveness.ts';
import { readRecord, type TaskRecord } from './record.ts';
import { removeStagedMounts } from './staged-mounts.ts';

const SIGKILL = 9;
/** conmon ends by itself right after its container; this long it is given. */
const MONITOR_GRACE_MS = 2000;

/**
 * Removes everything of a container in the order in which a crash in between leaves it findable: processes and
 * cgroups, the runtime's state, and last the directory that {@link RuntimeContext.layout} lists. Idempotent.
 */
export async function removeTask(id: string, context: RuntimeContext): Promise<void> {
  const files = context.layout.task(id);
  const record = readRecord(files.record);
  if (record) {
    await deleteState(record, context);
    await destroyCgroup(record.cgroupsPath, context.sys);
    await endMonitor(record, context);
  }
  context.exits.forget(id);
  context.execCgroups.forget(id);
  // Off this thread: where the exec root is no tmpfs, unlinking waits for the file system's journal.
  await rm(join(context.layout.exits, id), { force: true });
  await removeStagedMounts(files.mounts);
  await rm(files.directory, { recursive: true, force: true });
}

async function deleteState(record: TaskRecord, context: RuntimeContext): Promise<void> {
  const stateRoot = context.layout.state(record.runtime);
  const state = join(stateRoot, record.id);
  if (!existsSync(state)) return;
  if (!hasEnded(record, context)) await forceDelete(record, stateRoot, context);
  await rm(state, { recursive: true, force: true });
}

/** Whether there is nothing left for the runtime itself to do; spawning it would be most of the time a removal takes. */
function hasEnded(record: TaskRecord, context: RuntimeContext): boolean {
  if (record.init.pid === 0 || record.hasPoststop) return false;
  if (!isStateFiles(record.runtime, context)) return false;
  return identify(record.init.pid)?.startTime !== record.init.startTime;
}

/**
 * Whether the runtime's state is nothing but files in its state root, once the processes and the cgroup are gone. False also
 * for a runtime that is configured no longer.
 */
function isStateFiles(runtime: string, context: RuntimeContext): boolean {
  try {
    return isKnown(context.binary(runtime));
  } catch {
    return false;
  }
}

async function forceDelete(record: TaskRecord, stateRoot: string, context: RuntimeContext): Promise<void> {
  try {
    const { exitCode, stderr } = await callRuntime({
      runtime: context.binary(record.runtime),
      stateRoot,
      args: ['delete', '--force', record.id],
      deadlineMs: context.deadlines.commandMs,
    });
    if (exitCode !== 0) throw new Error(stderr.trim());
  } catch (error) {
    // The cgroup removal that follows kills what is left, so a broken or missing runtime does not block the removal.
    context.logger.warn('the runtime could not delete a container', {
      container: record.id,
      reason: errorMessage(error),
    });
  }
}

async function endMonitor(record: TaskRecord, context: RuntimeContext): Promise<void> {
  const grace = AbortSignal.timeout(MONITOR_GRACE_MS);
  await processEnd(record.monitor, context.sys, grace).catch(() => {});
  const fd = openProcess(record.monitor, context.sys);
  if (fd === undefined) return;
  context.sys.processes.pidfdSignal(fd, SIGKILL);
  context.sys.processes.closeFd(fd);
}
