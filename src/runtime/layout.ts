import { join } from 'node:path';

/** Where everything of the runtime room lies below the exec root. Directories are 0700. */
export interface Layout {
  readonly tasks: string;
  /** conmon's `--exit-dir`: one file per ended container, watched. */
  readonly exits: string;
  /** Of {@link TaskLayout.mounts}; mode 0711, so that mapped users pass it. */
  readonly mounts: string;
  /** See {@link CgroupParents}. */
  readonly cgroupParents: string;
  /** State root of one OCI runtime. */
  state(runtime: string): string;
  task(id: string): TaskLayout;
}

/** One container's files; the directory is the OCI bundle and conmon's persist directory at once. */
export interface TaskLayout {
  readonly directory: string;
  readonly record: string;
  readonly config: string;
  readonly pidFile: string;
  readonly attachSocket: string;
  readonly controlFifo: string;
  /** Written by conmon: the exit code as text. */
  readonly exitFile: string;
  /** Made by conmon when the kernel killed something of the container for memory. */
  readonly oomFile: string;
  /** The same, once it has been told. */
  readonly toldOomFile: string;
  /** Beginning of the names of {@link StagedMounts}; apart from the rest, which is closed to mapped users. */
  readonly mounts: string;
  readonly execs: string;
  exec(execId: string): ExecLayout;
}

export interface ExecLayout {
  readonly directory: string;
  readonly record: string;
  readonly process: string;
  readonly pidFile: string;
  readonly attachSocket: string;
  readonly controlFifo: string;
  /** Written by conmon: the exit code as text. */
  readonly exitFile: string;
  /** Written by the runtime where its error output does not reach us. */
  readonly runtimeLog: string;
}

export function createLayout(execRoot: string): Layout {
  const [tasks, mounts] = [join(execRoot, 'tasks'), join(execRoot, 'mounts')];
  return {
    tasks,
    mounts,
    exits: join(execRoot, 'exits'),
    cgroupParents: join(execRoot, 'cgroup-parents.json'),
    state: (runtime) => join(execRoot, 'state', runtime),
    task: (id) => taskLayout(join(tasks, id), join(mounts, id)),
  };
}

function taskLayout(directory: string, mounts: string): TaskLayout {
  const execs = join(directory, 'execs');
  return {
    directory,
    record: join(directory, 'task.json'),
    config: join(directory, 'config.json'),
    pidFile: join(directory, 'pid'),
    attachSocket: join(directory, 'attach'),
    controlFifo: join(directory, 'ctl'),
    exitFile: join(directory, 'exit'),
    oomFile: join(directory, 'oom'),
    toldOomFile: join(directory, 'oom-told'),
    mounts,
    execs,
    exec: (execId) => execLayout(join(execs, execId)),
  };
}

const execLayout = (directory: string): ExecLayout => ({
  directory,
  record: join(directory, 'exec.json'),
  process: join(directory, 'process.json'),
  pidFile: join(directory, 'pid'),
  attachSocket: join(directory, 'attach'),
  controlFifo: join(directory, 'ctl'),
  exitFile: join(directory, 'exit'),
  runtimeLog: join(directory, 'log'),
});
