import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { errnoCode, withDeadline } from '#base';
import { sendResize } from './conmon/control.ts';
import type { RuntimeContext } from './context.ts';
import { type ExecRecord, isRemains, readExecRecord, removeExecFiles } from './exec-record.ts';
import { endStarters } from './exec-starters.ts';
import { readExitFile, UNKNOWN_EXIT } from './exit-watch.ts';
import type { ExecLayout } from './layout.ts';
import { lastingProcessEnd, processEnd, signalProcess } from './liveness.ts';
import type { TaskRecord } from './record.ts';
import type { AdoptedExec, ExitStatus } from './types.ts';

/** Finds the execs that an earlier daemon has started in a container, and cleans up after those it was just starting. */
export function adoptExecs(task: TaskRecord, context: RuntimeContext): AdoptedExec[] {
  const { execs, exec } = context.layout.task(task.id);
  const names = namesIn(execs);
  for (const name of names.filter(isRemains)) rmSync(join(execs, name), { recursive: true, force: true });
  const found = names.filter((name) => !isRemains(name)).map((execId) => ({ execId, files: exec(execId) }));
  const recorded = found.flatMap(({ execId, files }) => {
    const record = readExecRecord(files);
    if (!record) undoStart(execId, files, task, context);
    return record ? [{ execId, files, record }] : [];
  });
  context.execCgroups.adopt(task, new Set(recorded.map(({ execId }) => execId)));
  return recorded.map((exec) => adopt(exec, task, context));
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return [];
    throw error;
  }
}

interface RecordedExec {
  readonly execId: string;
  readonly files: ExecLayout;
  readonly record: ExecRecord;
}

function adopt(exec: RecordedExec, task: TaskRecord, context: RuntimeContext): AdoptedExec {
  const { execId, files, record } = exec;
  const cgroup = context.execCgroups.find(execId, task);
  return {
    note: record.note,
    process: {
      execId,
      pid: record.process.pid,
      stream: undefined,
      exited: awaitExit(exec, context).finally(() => {
        cgroup?.release();
        removeExecFiles(files);
      }),
      resize: (size) => sendResize(files.controlFifo, size),
      kill: async (signal, { all = false } = {}) =>
        (all ? cgroup?.signal(signal) : undefined) ?? signalProcess(record.process, signal, context.sys),
    },
  };
}

/** The monitor writes the exit code to a file when the process and its output have ended, and ends itself. */
async function awaitExit({ files, record }: RecordedExec, context: RuntimeContext): Promise<ExitStatus> {
  const { sys, closing, deadlines } = context;
  if (!existsSync(files.exitFile)) {
    await lastingProcessEnd(record.process, sys, closing);
    await withDeadline(processEnd(record.monitor, sys, closing), deadlines.drainMs, 'monitor').catch(
      () => {},
    );
  }
  const recorded = readExitFile(files.exitFile) ?? {
    exitCode: UNKNOWN_EXIT,
    exitedAt: new Date().toISOString(),
  };
  return { ...recorded, oomKilled: false };
}

/**
 * Ends what an earlier daemon was starting when it was killed. Its client has gone without having been told that the
 * process runs, and nobody has its exit code.
 */
function undoStart(execId: string, files: ExecLayout, task: TaskRecord, context: RuntimeContext): void {
  const { sys, logger } = context;
  const cgroup = context.execCgroups.find(execId, task);
  endStarters(files, cgroup, sys);
  if (existsSync(files.record))
    logger.warn('an exec with a damaged record was ended', {
      container: task.id,
      exec: execId,
      file: files.record,
    });
  else logger.info('an interrupted start of an exec was undone', { container: task.id, exec: execId });
  removeExecFiles(files);
}
