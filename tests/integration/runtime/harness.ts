import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createId, silentLogger } from '#base';
import type { Spec } from '#oci';
import {
  type AttachStream,
  buildSpec,
  createRuntime,
  DEFAULT_CAPABILITIES,
  type ExecOptions,
  hideControllers,
  needsRuntimeNamespace,
  type Runtime,
  type RuntimeOptions,
  readSpecHost,
  type SpecInput,
  type Task,
  type TaskOptions,
} from '#runtime';
import { createSys } from '#sys';
import { ownName } from '../../harness/test-run.ts';

export const sys = createSys();
export const host = readSpecHost();

/** Makes crun usable in this test process: its main thread gets a mount namespace of its own. */
if (needsRuntimeNamespace()) {
  sys.namespaces.unshareMount();
  hideControllers(sys);
}

const APPLETS = [
  'sh',
  'true',
  'false',
  'echo',
  'cat',
  'sleep',
  'id',
  'ls',
  'grep',
  'stty',
  'kill',
  'head',
  'dd',
  'wc',
  'seq',
  'mount',
  'hostname',
  'test',
  'tty',
  'printf',
  'ps',
  'yes',
  'sha256sum',
  'readlink',
];

/** A place of its own for one test file: exec root, busybox root file system, logs. */
export class Sandbox implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'rt-'));
  readonly rootfs = join(this.directory, 'rootfs');
  readonly cgroupParent = `/${ownName(`rt-${createId().slice(0, 8)}`)}`;
  readonly #runtimes: Runtime[] = [];
  #isDisposed = false;

  constructor() {
    for (const name of ['bin', 'etc', 'tmp', 'proc', 'sys', 'dev', 'root'])
      mkdirSync(join(this.rootfs, name), { recursive: true });
    cpSync('/bin/busybox', join(this.rootfs, 'bin/busybox'));
    for (const applet of APPLETS) symlinkSync('busybox', join(this.rootfs, 'bin', applet));
    writeFileSync(join(this.rootfs, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  }

  async runtime(options: Partial<RuntimeOptions> = {}): Promise<Runtime> {
    const runtime = await createRuntime({
      execRoot: join(this.directory, 'exec'),
      cacheRoot: join(this.directory, 'cache'),
      sys,
      logger: silentLogger,
      ...options,
    });
    this.#runtimes.push(runtime);
    return runtime;
  }

  logPath(id: string): string {
    return join(this.directory, `${id}.log`);
  }

  /** What conmon logged for one stream, lines put together again. */
  logged(id: string, stream: 'stdout' | 'stderr'): string {
    const lines = readFileSync(this.logPath(id), 'utf8').split('\n').filter(Boolean);
    return lines
      .map((line) => /^\S+ (\S+) ([FP]) (.*)$/s.exec(line))
      .filter((match) => match?.[1] === stream)
      .map((match) => `${match?.[3]}${match?.[2] === 'F' ? '\n' : ''}`)
      .join('');
  }

  input(id: string, args: readonly string[], change: Partial<SpecInput> = {}): SpecInput {
    return {
      id,
      rootfs: this.rootfs,
      readonlyRootfs: true,
      hostname: id.slice(0, 12),
      domainname: undefined,
      process: this.process(args),
      terminal: false,
      namespaces: [{ type: 'mount' }, { type: 'network' }, { type: 'uts' }, { type: 'pid' }, { type: 'ipc' }],
      mounts: [],
      shmSizeBytes: 65_536,
      devices: [],
      deviceRules: [],
      privileged: false,
      resources: {},
      cgroupsPath: `${this.cgroupParent}/${id}`,
      sysctls: {},
      seccomp: { kind: 'default' },
      maskedPaths: undefined,
      readonlyPaths: undefined,
      annotations: {},
      ...change,
    };
  }

  process(args: readonly string[]): SpecInput['process'] {
    return {
      args,
      env: ['PATH=/bin', 'HOME=/root'],
      cwd: '/',
      uid: 0,
      gid: 0,
      additionalGids: [],
      capabilities: DEFAULT_CAPABILITIES,
      noNewPrivileges: false,
      rlimits: [],
    };
  }

  options(
    args: readonly string[],
    change: Partial<SpecInput> = {},
    task: Partial<TaskOptions> = {},
  ): TaskOptions {
    const id = createId();
    const spec: Spec = buildSpec(this.input(id, args, change), host);
    return {
      id,
      spec,
      terminal: change.terminal ?? false,
      openStdin: false,
      stdinOnce: false,
      logPath: this.logPath(id),
      ...task,
    };
  }

  execOptions(args: readonly string[], change: Partial<ExecOptions> = {}): ExecOptions {
    return {
      execId: createId(),
      process: this.process(args),
      terminal: false,
      openStdin: false,
      attachOutput: true,
      ...change,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const last = this.#runtimes.at(-1) ?? (await this.runtime());
    for (const id of last.leftovers()) await last.delete(id);
    for (const runtime of this.#runtimes) await runtime.close();
    rmSync(this.directory, { recursive: true, force: true });
    this.#isDisposed = true;
  }

  /** Cgroups of containers; once disposed of, also the one above them. */
  #cgroups(): string[] {
    const parents = [...sys.cgroups.controllers.values(), sys.cgroups.unified ?? '']
      .map((mount) => join(mount, this.cgroupParent))
      .filter((directory) => existsSync(directory));
    if (this.#isDisposed) return parents;
    return parents.flatMap((parent) =>
      readdirSync(parent, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => join(parent, entry.name)),
    );
  }

  /** Everything of this sandbox that still exists in the kernel. */
  leaks(): string[] {
    const mounts = sys.mounts
      .list()
      .filter((mount) => mount.target.startsWith(this.directory))
      .map((mount) => `mount ${mount.target}`);
    const processes = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => {
        try {
          return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(this.directory);
        } catch {
          return false;
        }
      });
    return [
      ...mounts,
      ...processes.map((pid) => `process ${pid}`),
      ...this.#cgroups(),
      ...sys.cgroups.processes(this.cgroupParent).map((pid) => `cgroup process ${pid}`),
    ];
  }
}

export interface Collected {
  readonly stdout: string;
  readonly stderr: string;
}

/** Collects a stream's output to its end. */
export async function collect(stream: AttachStream): Promise<Collected> {
  const chunks = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
  stream.onOutput((name, chunk) => chunks[name].push(chunk));
  await stream.ended;
  return { stdout: Buffer.concat(chunks.stdout).toString(), stderr: Buffer.concat(chunks.stderr).toString() };
}

export interface Finished extends Collected {
  readonly task: Task;
  readonly exitCode: number;
}

/** Create, attach, start, wait, delete. */
export async function run(runtime: Runtime, options: TaskOptions): Promise<Finished> {
  const task = await runtime.create(options);
  try {
    const output = collect(await task.attach());
    await task.start();
    const { exitCode } = await task.exited;
    return { task, exitCode, ...(await output) };
  } finally {
    await runtime.delete(options.id);
  }
}
