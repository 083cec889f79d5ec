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

/** Whether crun would refuse to run in the calling thread's mount namespace. */
export function needsRuntimeNamespace(): boolean {
  try {
    return statfsSync(UNIFIED).type === CGROUP2_MAGIC && readFileSync(CONTROLLERS, 'utf8') !== '';
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return false;
    throw error;
  }
}

export interface NamespaceOptions {
  /**
   * Data root and exec root. Mounts below them appear in every namespace but the runtimes', so that the host sees them, and
   * unmounting one anywhere unmounts it everywhere. Made if missing.
   */
  readonly sharedDirs: readonly string[];
  /** Directories below them that monitors and runtimes use by their paths: what holds these stays mounted inside. */
  readonly usedDirs: readonly string[];
}

/**
 * Where monitors and OCI runtimes are started: a copy of the host's mounts without those of the containers, however many
 * there are, because a runtime copies and reads all that it finds. What one start needs is brought in for it
 * ({@link stageMounts}). The daemon itself stays in the host's namespace. Mounts of the host come in, nothing goes out.
 */
export class RuntimeNamespace implements Disposable {
  readonly #sys: MountSys;
  readonly #sharedDirs: readonly string[];
  readonly #fd: Fd;

  /** @throws SysError when it cannot be made: go on without it then, the runtime falls back to runc. */
  constructor(sys: MountSys, options: NamespaceOptions) {
    this.#sys = sys;
    this.#sharedDirs = options.sharedDirs;
    const made = shareDirectories(sys, options.sharedDirs);
    try {
      this.#fd = sys.namespaces.createMount(() => prepare(sys, options));
    } catch (error) {
      for (const directory of made.toReversed()) sys.mounts.unmount(directory, { detach: true });
      throw error;
    }
  }

  /** Runs `action` inside; the programs it starts stay there. */
  run<T>(action: () => T): T {
    return this.#sys.namespaces.withMount(this.#fd, action);
  }

  /** Whether the file at `path` is seen inside as it is here. @throws SysError when there is none. */
  shows(path: string): boolean {
    const directory = this.#sharedDirs.find((candidate) => isBelow(path, candidate));
    if (directory === undefined) return false;
    return this.#sys.mounts.idOf(path) === this.#sys.mounts.idOf(directory);
  }

  /**
   * A copy of an unbindable mount, which runtimes bind all the same: in a namespace of their own it is a slave like all
   * others, and so it is copied in one that lives no longer.
   */
  cloneUnbindable(source: string): Fd {
    const { mounts, namespaces, processes } = this.#sys;
    const copies: Fd[] = [];
    const namespace = namespaces.createMount(() => {
      mounts.setPropagation('/', 'rslave');
      copies.push(mounts.clone(source, { recursive: true }));
    });
    processes.closeFd(namespace);
    return copies[0] as Fd;
  }

  /** What was started inside goes on there. */
  [Symbol.dispose](): void {
    this.#sys.processes.closeFd(this.#fd);
  }
}

const isBelow = (path: string, directory: string): boolean =>
  path === directory || path.startsWith(`${directory}/`);

function prepare(sys: MountSys, { sharedDirs, usedDirs }: NamespaceOptions): void {
  sys.mounts.setPropagation('/', 'rslave');
  for (const directory of sharedDirs) leaveContainersOut(sys, directory, usedDirs);
  if (needsRuntimeNamespace()) hideControllers(sys);
  protectNull(sys);
}

/** Puts a copy of the mount at `directory` in its place: what was mounted below it is gone, and no more comes. */
function leaveContainersOut(
  { mounts, processes }: Pick<Sys, 'mounts' | 'processes'>,
  directory: string,
  usedDirs: readonly string[],
): void {
  const isUsed = ({ target }: MountInfo) =>
    isBelow(target, directory) && usedDirs.some((used) => isBelow(used, target));
  const stays = new Set([
    directory,
    ...mounts
      .list()
      .filter(isUsed)
      .map(({ target }) => target),
  ]);
  using copies = new DisposableStack();
  const attachments = [...stays].map((target) => {
    mounts.setPropagation(target, 'private');
    return { target, copy: copies.adopt(mounts.clone(target), (fd) => processes.closeFd(fd)) };
  });
  mounts.unmount(directory, { detach: true });
  for (const { target, copy } of attachments) mounts.attach(copy, target);
}

/** Makes crun work in the calling thread's mount namespace, which must not be the host's. The host's mounts still come in. */
export function hideControllers(sys: Pick<Sys, 'mounts'>): void {
  sys.mounts.setPropagation(UNIFIED, 'slave');
  sys.mounts.bind(EMPTY_FILE, CONTROLLERS);
}

/**
 * crun gives a container's standard streams to its user, also where one is the host's /dev/null, which the root of a user
 * namespace could then close to everybody (crun before 1.24). On a read-only mount the owner of a device cannot be
 * changed, while writing to it works.
 */
function protectNull(sys: Pick<Sys, 'mounts'>): void {
  sys.mounts.bind(EMPTY_FILE, EMPTY_FILE, { readonly: true });
}

/** Makes mounts below `directories` seen everywhere. Returns those that became mounts of their own. */
function shareDirectories(sys: Pick<Sys, 'mounts'>, directories: readonly string[]): string[] {
  const made: string[] = [];
  for (const directory of directories) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (sys.mounts.list().some((mount) => mount.target === directory)) {
      sys.mounts.setPropagation(directory, 'shared');
      continue;
    }
    // With all below it, such as a disk for the volumes, which would be hidden otherwise. Were it a peer of the mount that it is
    // copied from, that one would get all that is mounted below it as well, and with it the runtimes' copy.
    sys.mounts.bind(directory, directory, { recursive: true, shared: true });
    made.push(directory);
  }
  return made;
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
 * Whether something is mounted below `directory` since that was bound on itself. What was there before is below the bind as
 * well as under it.
 */
export function isInUse(mounts: readonly MountInfo[], directory: string): boolean {
  const own = mounts.findLast(({ target }) => target === directory);
  if (!own) return false;
  const byId = new Map(mounts.map((mount) => [mount.id, mount]));
  const isInside = ({ id, parentId }: MountInfo): boolean => {
    if (parentId === own.id) return true;
    const parent = byId.get(parentId);
    return parent !== undefined && parent.id !== id && isInside(parent);
  };
  const [inside, outside] = [mounts.filter(isInside), mounts.filter((mount) => !isInside(mount))];
  const isSame = (one: MountInfo, other: MountInfo) =>
    one.target === other.target && one.device === other.device && one.root === other.root;
  return inside.some((mount) => !outside.some((other) => isSame(mount, other)));
}

/**
 * Takes back what a {@link RuntimeNamespace} did to the host, at a clean stop: the bind mounts of `sharedDirs` on
 * themselves, unless something is still mounted below them. Returns the binds that stay. A mount point of the user's,
 * such as a disk for the data root, is left alone.
 */
export function removeSharedBinds(sys: Pick<Sys, 'mounts'>, sharedDirs: readonly string[]): string[] {
  const mounts = sys.mounts.list();
  const ours = sharedDirs.filter((directory) => isBoundOnItself(mounts, directory));
  const busy = ours.filter((directory) => isInUse(mounts, directory));
  for (const directory of ours.filter((directory) => !busy.includes(directory)).toReversed()) {
    // Detached: files of ours may be open below it until this process ends.
    sys.mounts.unmount(directory, { detach: true });
  }
  return busy;
}
