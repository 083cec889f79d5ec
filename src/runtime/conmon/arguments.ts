import { basename } from 'node:path';
import type { ExecLayout, Layout, TaskLayout } from '../layout.ts';
import type { LaunchableRuntime } from '../programs/launcher.ts';
import type { RuntimeBinary } from '../types.ts';

/** Descriptor numbers in conmon's process. All three pipes of its protocol are one socket. */
export const SYNC_FD = 3;
const START_FD = 4;
const ATTACH_FD = 5;

/** How often the one socket is handed over: sync alone, or sync, start and attach. */
export const CONTAINER_FDS = 1;
export const EXEC_FDS = 3;

/**
 * conmon's environment. Log times are UTC; nothing of the daemon's environment leaks in. `G_SLICE` keeps GLib from an
 * allocator of its own beside malloc, which is 12 kB per monitor.
 */
export function conmonEnvironment(
  fds: number,
  runtime: Pick<LaunchableRuntime, 'launch'> = {},
): Record<string, string> {
  return {
    ...runtime.launch?.env,
    G_SLICE: 'always-malloc',
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    TZ: 'UTC',
    _OCI_SYNCPIPE: String(SYNC_FD),
    ...(fds === EXEC_FDS ? { _OCI_STARTPIPE: String(START_FD), _OCI_ATTACHPIPE: String(ATTACH_FD) } : {}),
  };
}

export interface MonitoredContainer {
  readonly id: string;
  readonly runtimeName: string;
  readonly runtime: LaunchableRuntime;
  readonly terminal: boolean;
  readonly openStdin: boolean;
  readonly stdinOnce: boolean;
  readonly logPath: string | undefined;
}

/**
 * Arguments for a container's monitor. It stays our child (`--sync`), so that its end is noticed without polling;
 * the log is not synced to disk at exit, as docker's is not.
 */
export function containerArguments(container: MonitoredContainer, layout: Layout): string[] {
  const task = layout.task(container.id);
  return [
    '--sync',
    '--no-sync-log',
    ...common(container, layout, task, task.pidFile),
    '--exit-dir',
    layout.exits,
    '--persist-dir',
    task.directory,
    '--log-path',
    container.logPath === undefined ? 'none' : `k8s-file:${logArgument(container.logPath)}`,
    ...(container.terminal ? ['--terminal'] : []),
    ...(container.openStdin ? ['--stdin'] : []),
    ...(closesStdin(container) ? [] : ['--leave-stdin-open']),
  ];
}

export interface MonitoredExec {
  readonly terminal: boolean;
  readonly openStdin: boolean;
  /** Wait for an attach connection before the process starts. */
  readonly attach: boolean;
  /** Relative to the container's; undefined: the container's own. */
  readonly cgroup?: string | undefined;
}

/** Arguments for an exec's monitor. Its exit status comes on the sync socket, and in a file for a successor daemon. */
export function execArguments(
  exec: MonitoredExec,
  container: Pick<MonitoredContainer, 'id' | 'runtimeName' | 'runtime'>,
  layout: Layout,
  files: ExecLayout,
): string[] {
  return [
    '--sync',
    '--no-sync-log',
    ...common(container, layout, files, files.pidFile),
    '--persist-dir',
    files.directory,
    '--exec',
    '--exec-process-spec',
    files.process,
    ...(exec.attach ? ['--exec-attach'] : []),
    '--log-path',
    'none',
    ...(needsRuntimeLog(exec, container.runtime)
      ? ['--runtime-arg', `--log=${files.runtimeLog}`, '--runtime-arg', '--log-format=json']
      : []),
    ...(exec.cgroup === undefined ? [] : ['--runtime-opt', `--cgroup=${exec.cgroup}`]),
    ...(exec.terminal ? ['--terminal'] : []),
    ...(exec.openStdin ? ['--stdin'] : []),
  ];
}

/**
 * conmon ends itself without a word when crun could not start a process with a terminal: it waits for the terminal on a
 * socket that crun closes then. So crun's reason has to come another way.
 */
const needsRuntimeLog = (
  { terminal }: Pick<MonitoredExec, 'terminal'>,
  { path }: Pick<RuntimeBinary, 'path'>,
): boolean => terminal && basename(path) === 'crun';

function common(
  container: Pick<MonitoredContainer, 'id' | 'runtimeName' | 'runtime'>,
  layout: Layout,
  files: Pick<TaskLayout | ExecLayout, 'directory'>,
  pidFile: string,
): string[] {
  return [
    '--api-version',
    '1',
    '--cid',
    container.id,
    '--cuuid',
    container.id,
    '--name',
    container.id,
    '--runtime',
    container.runtime.launch?.program ?? container.runtime.path,
    ...runtimeArguments(container.runtime, layout.state(container.runtimeName)).flatMap((arg) => [
      '--runtime-arg',
      arg,
    ]),
    '--bundle',
    files.directory,
    '--container-pidfile',
    pidFile,
    '--full-attach',
    '--log-level',
    'error',
  ];
}

/** Stands for the log's directory in the task's directory, which is conmon's working directory. */
export const LOG_DIRECTORY_LINK = 'logs';

/** conmon ends the path at its first colon. */
export const needsLogLink = (logPath: string | undefined): boolean => logPath?.includes(':') ?? false;

function logArgument(logPath: string): string {
  return needsLogLink(logPath) ? `${LOG_DIRECTORY_LINK}/${basename(logPath)}` : logPath;
}

/** The OCI runtime's own arguments, before its command. */
export function runtimeArguments(runtime: RuntimeBinary, stateRoot: string): string[] {
  return [...runtime.args, `--root=${stateRoot}`];
}

/**
 * Whether the end of an attach connection closes the container's stdin. Never with a terminal: there it would only
 * take the input away from later clients, also from those of a successor of a killed daemon.
 */
export function closesStdin(container: Pick<MonitoredContainer, 'stdinOnce' | 'terminal'>): boolean {
  return container.stdinOnce && !container.terminal;
}
