import { mkdirSync, readFileSync, statfsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { errnoCode } from '#base';
import type { Fd, MountInfo, Sys } from '#sys';

/**
 * crun refuses to work when the v2 tree beside v1 hierarchies has controllers; it decides so by this file not being
 * empty (crun 1.8, cgroup.c). It does not use the file otherwise, so hiding it from crun is enough and changes nothing
 * for anybody else: crun is started in a mount namespace of its own, where an empty file lies over it.
 */
const UNIFIED = '/sys/fs/cgroup/unified';
const CONTROLLERS = `${UNIFIED}/cgroup.controllers`;
const EMPTY_FILE = '/dev/null';
const CGROUP2_MAGIC = 0x63677270;

type MountSys = Pick<Sys, 'mounts' | 'namespaces' | 'processes'>;

/**
 * Whether crun would refuse to run in the calling thread's mount namespace, or, with `usesUserNamespaces`, whether it
 * could do harm.
 */
export function needsRuntimeNamespace(options: { readonly usesUserNamespaces?: boolean } = {}): boolean {
  return options.usesUserNamespaces === true || hasControllers();
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
}

/**
 * Where monitors and OCI runtimes are started: a copy of the host's mounts in which crun works. The daemon itself stays in
 * the host's namespace, and a container's sources are looked up as they are there when it is made, so peers of the
 * host's shared mounts are the containers'.
 */
export class RuntimeNamespace implements Disposable {
  readonly #sys: MountSys;
  readonly #sharedDirs: readonly string[];
  #fd: Fd;
  /** The host's mounts that {@link #fd} is a copy of. */
  #copied: string;

  /** @throws SysError when it cannot be made: go on without it then, the runtime falls back to runc. */
  constructor(sys: MountSys, { sharedDirs }: NamespaceOptions) {
    this.#sys = sys;
    this.#sharedDirs = sharedDirs;
    const made = shareDirectories(sys, sharedDirs);
    try {
      this.#copied = this.#hostMounts();
      this.#fd = this.#copy();
    } catch (error) {
      for (const directory of made.toReversed()) sys.mounts.unmount(directory, { detach: true });
      throw error;
    }
  }

  /** Runs `action` inside; the programs it starts stay there. */
  run<T>(action: () => T): T {
    return this.#sys.namespaces.withMount(this.#fd, action);
  }

  /** Copies the host's mounts anew if they have changed and one of `sources` may be among them. */
  follow(sources: readonly string[]): void {
    if (sources.every((source) => this.#sharedDirs.some((directory) => isBelow(source, directory)))) return;
    const mounts = this.#hostMounts();
    if (mounts === this.#copied) return;
    const fresh = this.#copy();
    this.#sys.processes.closeFd(this.#fd);
    this.#fd = fresh;
    this.#copied = mounts;
  }

  /** What was started inside goes on there. */
  [Symbol.dispose](): void {
    this.#sys.processes.closeFd(this.#fd);
  }

  #copy(): Fd {
    return this.#sys.namespaces.createMount(() => {
      if (hasControllers()) hideControllers(this.#sys);
      protectNull(this.#sys);
    });
  }

  /** Without those that are the same in every namespace. */
  #hostMounts(): string {
    const others = this.#sys.mounts
      .list()
      .filter(({ target }) => !this.#sharedDirs.some((directory) => target.startsWith(`${directory}/`)));
    return JSON.stringify(
      others.map(({ id, parentId, target, propagation }) => [id, parentId, target, propagation]),
    );
  }
}

const isBelow = (path: string, directory: string): boolean =>
  path === directory || path.startsWith(`${directory}/`);

/** Makes crun work in the calling thread's mount namespace, which must not be the host's. The host's mounts still come in. */
export function hideControllers(sys: Pick<Sys, 'mounts'>): void {
  sys.mounts.setPropagation(UNIFIED, 'slave');
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
  if (holder) sys.mounts.setPropagation(holder.target, 'slave');
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
 * Takes back what a {@link RuntimeNamespace} did to the host, at a clean stop: the bind mounts of `sharedDirs` on
 * themselves, unless something is still mounted below them. Returns the binds that stay. A mount point of the user's,
 * such as a disk for the data root, is left alone.
 */
export function removeSharedBinds(sys: Pick<Sys, 'mounts'>, sharedDirs: readonly string[]): string[] {
  const mounts = sys.mounts.list();
  const ours = sharedDirs.filter((directory) => isBoundOnItself(mounts, directory));
  const busy = ours.filter((directory) => mounts.some((mount) => mount.target.startsWith(`${directory}/`)));
  for (const directory of ours.filter((directory) => !busy.includes(directory)).toReversed()) {
    // Detached: files of ours may be open below it until this process ends.
    sys.mounts.unmount(directory, { detach: true });
  }
  return busy;
}
