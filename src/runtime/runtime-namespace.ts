import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statfsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { errnoCode } from '#base';
import type { MountInfo, Sys } from '#sys';

/**
 * crun refuses to work when the v2 tree beside v1 hierarchies has controllers; it decides so by this file not being
 * empty (crun 1.8, cgroup.c). It does not use the file otherwise, so hiding it from crun is enough and changes nothing
 * for anybody else: the daemon runs in a mount namespace of its own, where an empty file lies over it.
 */
const UNIFIED = '/sys/fs/cgroup/unified';
const CONTROLLERS = `${UNIFIED}/cgroup.controllers`;
const EMPTY_FILE = '/dev/null';
const CGROUP2_MAGIC = 0x63677270;

/** Holds the name of the mount namespace the daemon came from (`mnt:[4026531841]`). */
const ORIGIN = 'GANTRY_ORIGIN_MOUNT_NAMESPACE';

type MountSys = Pick<Sys, 'mounts' | 'namespaces' | 'processes'>;

/**
 * Whether crun would refuse to run as things are, or, with `usesUserNamespaces`, whether it could do harm. False inside
 * the namespace.
 */
export function needsRuntimeNamespace(options: { readonly usesUserNamespaces?: boolean } = {}): boolean {
  return hasControllers() || (options.usesUserNamespaces === true && process.env[ORIGIN] === undefined);
}

function hasControllers(): boolean {
  try {
    return statfsSync(UNIFIED).type === CGROUP2_MAGIC && readFileSync(CONTROLLERS, 'utf8') !== '';
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return false;
    throw error;
  }
}

export interface NamespaceOptions {
  /**
   * Data root and exec root. Mounts below them appear in every namespace, so that a successor and the host see them,
   * and unmounting one anywhere unmounts it everywhere. Made if missing.
   */
  readonly sharedDirs: readonly string[];
  /** The program to become, with its arguments; default: this process again. */
  readonly program?: { readonly path: string; readonly args: readonly string[] };
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * Starts this program anew in a mount namespace where crun works. Call it first thing, when
 * {@link needsRuntimeNamespace}; it does not return.
 * @throws SysError when the namespace cannot be made: go on without it then, the runtime falls back to runc.
 */
export function enterRuntimeNamespace(sys: MountSys, options: NamespaceOptions): never {
  const origin = readlinkSync('/proc/thread-self/ns/mnt');
  const made = shareDirectories(sys, options.sharedDirs);
  try {
    sys.namespaces.unshareMount();
    if (hasControllers()) hideControllers(sys);
    protectNull(sys);
  } catch (error) {
    for (const directory of made.toReversed()) sys.mounts.unmount(directory, { detach: true });
    throw error;
  }
  const program = options.program ?? thisProgram();
  const env = { ...definedOnly(options.env ?? process.env), [ORIGIN]: origin };
  return sys.processes.exec(program.path, program.args, env);
}

/** How this process was started. In a built program the second argument is a path inside the program itself. */
function thisProgram(): { path: string; args: string[] } {
  const isBuilt = process.argv[1]?.startsWith('/$bunfs/') ?? false;
  const args = isBuilt ? process.argv.slice(2) : [...process.execArgv, ...process.argv.slice(1)];
  return { path: process.execPath, args: [process.argv0, ...args] };
}

/** Makes crun work in the calling thread's mount namespace, which must not be the host's. */
export function hideControllers(sys: Pick<Sys, 'mounts'>): void {
  sys.mounts.setPropagation(UNIFIED, 'private');
  sys.mounts.bind(EMPTY_FILE, CONTROLLERS);
}

/**
 * crun gives a container's standard streams to its user, also where one is the host's /dev/null, which the root of a user
 * namespace could then close to everybody (crun before 1.24). On a read-only mount the owner of a device cannot be
 * changed, while writing to it works. Left alone where the mount would be seen by the host.
 */
function protectNull(sys: Pick<Sys, 'mounts'>): void {
  const holder = sys.mounts.list().findLast(({ target }) => target === '/dev');
  if (!holder && isShared(sys.mounts.list(), EMPTY_FILE)) return;
  if (holder) sys.mounts.setPropagation(holder.target, 'private');
  sys.mounts.bind(EMPTY_FILE, EMPTY_FILE, { readonly: true });
}

/** Makes mounts below `directories` seen everywhere. Returns those that became mounts of their own. */
function shareDirectories(sys: Pick<Sys, 'mounts'>, directories: readonly string[]): string[] {
  const made: string[] = [];
  for (const directory of directories) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (isShared(sys.mounts.list(), directory)) continue;
    if (!sys.mounts.list().some((mount) => mount.target === directory)) {
      sys.mounts.bind(directory, directory);
      made.push(directory);
    }
    sys.mounts.setPropagation(directory, 'shared');
  }
  return made;
}

/** Whether the mount that holds `directory` passes on what is mounted in it. The last of equals covers the others. */
function isShared(mounts: readonly MountInfo[], directory: string): boolean {
  const holds = (mount: MountInfo) =>
    mount.target === '/' || directory === mount.target || directory.startsWith(`${mount.target}/`);
  return innermost(mounts.filter(holds))?.propagation.some((mode) => mode.startsWith('shared:')) ?? false;
}

const innermost = (mounts: readonly MountInfo[]): MountInfo | undefined =>
  mounts.reduce<MountInfo | undefined>(
    (best, mount) => (best && best.target.length > mount.target.length ? best : mount),
    undefined,
  );

/**
 * Whether what is mounted at `directory` is that very directory, as {@link shareDirectories} makes it. A disk of its own
 * for the data root, or a bind from elsewhere, belongs to whoever mounted it.
 */
export function isBoundOnItself(mounts: readonly MountInfo[], directory: string): boolean {
  const own = mounts.findLast(({ target }) => target === directory);
  const above = innermost(
    mounts.filter(({ target }) => target === '/' || directory.startsWith(`${target}/`)),
  );
  if (!own || !above) return false;
  return own.device === above.device && own.root === join(above.root, relative(above.target, directory));
}

/**
 * Takes back what {@link enterRuntimeNamespace} did to the host, at a clean stop: the bind mounts of `sharedDirs` on
 * themselves, unless something is still mounted below them. Returns the binds that stay. A mount point of the user's,
 * such as a disk for the data root, is left alone.
 */
export function removeSharedBinds(
  sys: Pick<Sys, 'mounts'>,
  sharedDirs: readonly string[],
  env: Readonly<Record<string, string | undefined>> = process.env,
): string[] {
  const mounts = sys.mounts.list();
  const ours = sharedDirs.filter((directory) => isBoundOnItself(mounts, directory));
  const busy = ours.filter((directory) => mounts.some((mount) => mount.target.startsWith(`${directory}/`)));
  const origin = env[ORIGIN];
  const inside = origin === undefined ? undefined : findProcessIn(origin);
  // Nobody lives in the namespace we came from: it is gone, and its mounts with it.
  if (inside === undefined) return busy;
  for (const directory of ours.filter((directory) => !busy.includes(directory)).toReversed())
    if (existsSync(directory) && !unmountIn(inside, directory)) busy.push(directory);
  return busy;
}

function findProcessIn(namespace: string): number | undefined {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const found = pids.find((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/ns/mnt`) === namespace;
    } catch {
      return false;
    }
  });
  return found === undefined ? undefined : Number(found);
}

/** In another namespace only another process can unmount: setns(2) does not work in one with several threads. */
function unmountIn(pid: number, directory: string): boolean {
  const mounts = readFileSync(`/proc/${pid}/mountinfo`, 'utf8');
  if (!mounts.split('\n').some((line) => line.split(' ')[4] === directory)) return true;
  const { exitCode } = Bun.spawnSync(['nsenter', `--mount=/proc/${pid}/ns/mnt`, 'umount', directory], {
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  return exitCode === 0;
}

function definedOnly(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
