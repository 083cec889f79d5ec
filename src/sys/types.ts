import type { FlowSocket, Nftables, RouteSocket, RulesMonitor } from './network-types.ts';

export type * from './network-types.ts';

/**
 * The kernel boundary: every call that Bun itself does not offer, behind interfaces with a fake.
 *
 * All calls are synchronous and run on the calling thread (a Worker makes its own `Sys`). A failed call
 * throws {@link SysError}, which carries the errno name in `code`, as Node's errors do.
 */
export interface Sys {
  readonly mounts: Mounts;
  readonly files: Files;
  /** Calls on descriptors that `files` has opened. */
  readonly fdOps: FdOps;
  readonly namespaces: Namespaces;
  readonly processes: Processes;
  readonly sockets: Sockets;
  readonly cgroups: Cgroups;
  /** Opens a route netlink socket in the caller's network namespace, or in the one at `netnsPath`; it stays bound to it. */
  openNetlink(netnsPath?: string): RouteSocket;
  /** Opens an nftables context in the caller's network namespace. Each `run` is one transaction. */
  openNftables(): Nftables;
  /** Opens what tells of changes to nftables in the caller's network namespace, by whomever. */
  openRulesMonitor(): RulesMonitor;
  /** Opens connection tracking in the caller's network namespace. */
  openFlows(): FlowSocket;
}

/** A file descriptor owned by the caller, who closes it. */
export type Fd = number;

export type Propagation = 'private' | 'rprivate' | 'shared' | 'rshared' | 'slave' | 'rslave' | 'unbindable';

export interface Mounts {
  /**
   * Mounts an overlay through fsopen/fsconfig (`lowerdir+`) or, before Linux 6.7, by mount(2) and descriptors, so that
   * neither length nor characters of the paths matter. `lowerdirs` is topmost first. Without `upperdir` the mount is read-only.
   * @throws when the result came up read-only although an upper directory was given.
   */
  mountOverlay(options: {
    readonly lowerdirs: readonly string[];
    readonly upperdir?: string;
    readonly workdir?: string;
    readonly target: string;
    /** Extra string or flag options, e.g. `{ index: 'off', userxattr: '' }`. */
    readonly options?: Readonly<Record<string, string>>;
    /**
     * The lower directories are seen through this mapping (idmapped mounts; Linux 5.19 for overlays): what belongs to
     * `containerID` on disk belongs to `hostID` in the overlay. The upper directory is not mapped.
     */
    readonly lowerMappings?: IdMappings;
  }): void;
  /** mount(2). `flags` are `MS_*` bits (see constants). */
  mount(options: {
    readonly source?: string;
    readonly target: string;
    readonly fstype?: string;
    readonly flags?: number;
    readonly data?: string;
  }): void;
  /**
   * Binds before anybody can see it. With `slave` the bind, and each copy that other namespaces get of it, follows the
   * source's mount and never reaches back: unmounting below it unmounts nothing of the source's. With `shared` it is the first
   * of a peer group of its own, however the source is shared.
   */
  bind(source: string, target: string, options?: BindOptions): void;
  /** A copy of the mount at `source` that is nowhere yet; `recursive`: with all below it. Attach it, then close it. */
  clone(source: string, options?: { readonly recursive?: boolean }): Fd;
  /** Puts a copy of {@link clone} at `target`, in the calling thread's namespace. */
  attach(copy: Fd, target: string): void;
  /** The {@link MountInfo.id} of the mount that holds `path`. */
  idOf(path: string): number;
  setPropagation(target: string, propagation: Propagation): void;
  /** umount2(2). `detach` is MNT_DETACH; symlinks are never followed. */
  unmount(target: string, options?: { readonly detach?: boolean }): void;
  /** The calling thread's mount table, in mount order. */
  list(): MountInfo[];
}

/** Options of {@link Mounts.bind}. */
export interface BindOptions {
  /** With all that is mounted below. */
  readonly recursive?: boolean;
  readonly readonly?: boolean;
  readonly slave?: boolean;
  readonly shared?: boolean;
}

/** One line of /proc/self/mountinfo (proc(5)), octal escapes decoded. */
export interface MountInfo {
  readonly id: number;
  readonly parentId: number;
  readonly device: string;
  readonly root: string;
  readonly target: string;
  readonly options: readonly string[];
  /** `shared:N`, `master:N`, … */
  readonly propagation: readonly string[];
  readonly fstype: string;
  readonly source: string;
  readonly superOptions: readonly string[];
}

export interface FileTimes {
  /** Nanoseconds since the epoch. */
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
}

export interface Files {
  /**
   * A directory below which paths resolve as in a chroot (openat2 RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS):
   * `..` stops at the root, absolute symlinks start there. Dispose it to close its descriptors.
   */
  openRoot(path: string): RootedDir;
  getXattr(path: string, name: string): Uint8Array | undefined;
  setXattr(path: string, name: string, value: Uint8Array): void;
  listXattrs(path: string): string[];
  removeXattr(path: string, name: string): void;
  mknod(path: string, mode: number, device: DeviceNumber): void;
  mkfifo(path: string, mode: number): void;
  statfs(path: string): {
    readonly type: bigint;
    readonly blockSize: bigint;
    readonly blocks: bigint;
    readonly bavail: bigint;
    readonly files: bigint;
    readonly ffree: bigint;
    /** `ST_*` bits of the mount that has the path: those up to `MS_NODIRATIME` are the `MS_*` bits of the same name. */
    readonly flags: number;
  };
  /**
   * Whether looking at what is at `path` may wait: for a server, a user's program, or a name that the kernel has to look up
   * first. Never waits itself (openat2(2) RESOLVE_CACHED; before Linux 5.12 it answers false).
   */
  mayWait(path: string): boolean;
  /** syncfs(2) of the file system that holds `path`. */
  syncfs(path: string): void;
  /** flock(2) LOCK_EX|LOCK_NB. False when somebody else holds it. */
  tryLock(fd: Fd): boolean;
  /** renameat2(2) RENAME_EXCHANGE. */
  exchange(a: string, b: string): void;
  /**
   * A file in memory that nobody can change, not even root (memfd_create(2), all seals). It can be executed or mapped
   * by others as `/proc/PID/fd/N`, and lives as long as anybody holds it. `name` is what /proc shows.
   */
  sealed(name: string, content: Uint8Array): Fd;
  /** An empty file in memory (memfd_create(2), close-on-exec). It goes with its last descriptor. */
  memory(name: string): Fd;
}

export interface DeviceNumber {
  readonly major: number;
  readonly minor: number;
}

/** Result of a stat. `mode` includes the file type bits; times in nanoseconds. */
export interface FileStat {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: bigint;
  readonly nlink: number;
  readonly ino: bigint;
  readonly dev: DeviceNumber;
  readonly rdev: DeviceNumber;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

/**
 * File operations below one root that never leave it, whatever symlinks say and whoever races. Paths are
 * relative to the root; a leading slash is ignored. Parents of the last component are resolved by openat2;
 * the last component itself is never followed unless said otherwise. Parent descriptors are cached.
 */
export interface RootedDir extends Disposable {
  /** Follows symlinks within the root. `flags` as `fs.constants.O_*`. The result is close-on-exec. */
  open(path: string, flags: number, mode?: number): Fd;
  mkdir(path: string, mode: number): void;
  symlink(target: string, path: string): void;
  /** Both paths below the root; neither last component is followed. */
  link(existing: string, path: string): void;
  mknod(path: string, mode: number, device: DeviceNumber): void;
  unlink(path: string): void;
  rmdir(path: string): void;
  /** Removes whatever is there, recursively, without following symlinks. No error when nothing is there. */
  remove(path: string): void;
  rename(from: string, to: string): void;
  /** lstat. Undefined when nothing is there. */
  stat(path: string): FileStat | undefined;
  /** stat, following symlinks within the root. */
  statFollow(path: string): FileStat | undefined;
  readlink(path: string): string;
  /** Names in a directory, without `.` and `..`. */
  list(path: string): string[];
  lchown(path: string, uid: number, gid: number): void;
  chmod(path: string, mode: number): void;
  lutimes(path: string, times: FileTimes): void;
  lsetXattr(path: string, name: string, value: Uint8Array): void;
  lgetXattr(path: string, name: string): Uint8Array | undefined;
  llistXattrs(path: string): string[];
  /** The path inside the root after resolving every symlink (the last one too), with a leading slash. */
  resolve(path: string): string;
}

/** Calls on an open descriptor, for hot paths. */
export interface FdOps {
  fchown(fd: Fd, uid: number, gid: number): void;
  fchmod(fd: Fd, mode: number): void;
  futimens(fd: Fd, times: FileTimes): void;
  fsetXattr(fd: Fd, name: string, value: Uint8Array): void;
  fallocatePunchHole(fd: Fd, offset: bigint, length: bigint): void;
  /** Writes all of `bytes` at the descriptor's offset. */
  write(fd: Fd, bytes: Uint8Array): void;
  close(fd: Fd): void;
}

/** A range of IDs inside of a user namespace and its counterpart outside (user_namespaces(7)). */
export interface IdRange {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

export interface IdMappings {
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
}

/** Namespaces that a helper process holds. Disposal ends it; whoever has joined or pinned them keeps them. */
export interface UserNamespace extends Disposable {
  /** Opens the user namespace; valid until disposal. */
  readonly userPath: string;
  /** Opens its network namespace, whose loopback is down. */
  readonly networkPath: string | undefined;
}

export interface Namespaces {
  /** Makes a user namespace; with `network` also a network namespace that it owns. Takes about 1 ms. */
  createUser(mappings: IdMappings, options?: { readonly network?: boolean }): UserNamespace;
  /**
   * Makes a network namespace with `lo` up and pins it by a bind mount at `path` (created if missing). With `from`, the
   * path of a namespace that exists, that one is pinned and its `lo` brought up.
   */
  createNetwork(path: string, options?: { readonly from?: string }): void;
  /** Unpins and forgets a namespace made by {@link createNetwork}. No error when it is gone. */
  removeNetwork(path: string): void;
  /** Runs synchronous `action` inside the network namespace at `path`. Aborts the process if it cannot return. */
  withNetwork<T>(path: string, action: () => T): T;
  /**
   * Runs `action` with the path of a /proc/sys that is its own (Linux 5.2; else the host's). Below `net` it shows the network
   * namespace that the thread is in. The kernel remembers what was looked up there for each namespace under one name, so
   * that in the host's /proc/sys each lookup passes what all the others have left: milliseconds with a thousand.
   */
  withSysctls<T>(action: (directory: string) => T): T;
  /** Moves the calling thread into a new mount namespace (unshare(2) CLONE_NEWNS), propagation unchanged. */
  unshareMount(): void;
  /**
   * Makes a mount namespace with the mounts of the calling thread's, propagation unchanged, and runs `prepare` in it. The
   * result keeps it; close it. Aborts the process if the thread cannot return.
   */
  createMount(prepare: () => void): Fd;
  /** Runs synchronous `action` in a namespace made by {@link createMount}; what it starts stays there. */
  withMount<T>(namespace: Fd, action: () => T): T;
}

export interface Processes {
  pidfdOpen(pid: number): Fd;
  /** pidfd_send_signal(2). False when the process is gone. */
  pidfdSignal(pidfd: Fd, signal: number): boolean;
  /** kill(2). False when the process is gone. */
  kill(pid: number, signal: number): boolean;
  /** poll(2) of a pidfd with a zero timeout: true when the process has ended. */
  hasExited(pidfd: Fd): boolean;
  getRlimit(resource: RlimitName): { readonly soft: bigint; readonly hard: bigint };
  setRlimit(resource: RlimitName, limit: { readonly soft: bigint; readonly hard: bigint }): void;
  /** Names of the calling thread's effective capabilities, `CAP_CHOWN` and so on. */
  effectiveCapabilities(): string[];
  /** prctl(2) PR_SET_CHILD_SUBREAPER. */
  setSubreaper(): void;
  umask(mask: number): number;
  /**
   * Gives back the memory that shows this program's own file, code above all; what is needed again comes from the page
   * cache, without reading (madvise(2) MADV_DONTNEED).
   */
  releaseProgramPages(): void;
  closeFd(fd: Fd): void;
}

/** Resource names without `RLIMIT_`, lower case: `nofile`, `nproc`, `core`, … (getrlimit(2)). */
export type RlimitName =
  | 'as'
  | 'core'
  | 'cpu'
  | 'data'
  | 'fsize'
  | 'locks'
  | 'memlock'
  | 'msgqueue'
  | 'nice'
  | 'nofile'
  | 'nproc'
  | 'rss'
  | 'rtprio'
  | 'rttime'
  | 'sigpending'
  | 'stack';

export interface Sockets {
  /** Connects a SOCK_SEQPACKET Unix socket (non-blocking, close-on-exec). Hand the fd to `Bun.connect({ fd })`. */
  connectSeqpacket(path: string): Fd;
  /** socketpair(AF_UNIX, SOCK_STREAM, close-on-exec). */
  socketpair(): readonly [Fd, Fd];
  /**
   * Connects a SOCK_DGRAM Unix socket (non-blocking, close-on-exec); a leading `@` is an abstract name. Each write is
   * one datagram and throws EAGAIN while the receiver's queue is full, ECONNREFUSED when it has gone.
   */
  connectDatagram(path: string): Fd;
  /** Sends one datagram to a Unix socket; a leading `@` is an abstract name (unix(7)). */
  sendDatagram(path: string, text: string): void;
  shutdownWrite(fd: Fd): void;
}

/** How cgroups are mounted: one v2 tree, v1 hierarchies only, or v1 controllers beside a v2 tree. */
export type CgroupMode = 'unified' | 'legacy' | 'hybrid';

export interface Cgroups {
  readonly mode: CgroupMode;
  /** v1: controller to mount point (`memory` → `/sys/fs/cgroup/memory`). v2: empty. */
  readonly controllers: ReadonlyMap<string, string>;
  /** Mount point of the v2 tree, if any. */
  readonly unified: string | undefined;
  /** Absolute directory of cgroup `path` for `controller` (v2: the one tree). Undefined when not mounted. */
  directory(controller: string, path: string): string | undefined;
  /** File content without its trailing newline. Undefined when it is not there. */
  read(controller: string, path: string, file: string): string | undefined;
  write(controller: string, path: string, file: string, value: string): void;
  /** Makes the cgroup in every hierarchy; v1 cpuset is seeded from its parent; v2 enables controllers on the way. */
  create(path: string): void;
  /** PIDs in the cgroup and all below it. */
  processes(path: string): number[];
  /**
   * Kills every process of the cgroup and below, also frozen ones and what is just being forked (`cgroup.kill`, v2, Linux
   * 5.14). False where the kernel has no such thing or the cgroup is gone.
   */
  kill(path: string): boolean;
  /** Removes the cgroup and all below it in every hierarchy. Busy ones throw EBUSY; missing ones are fine. */
  remove(path: string): void;
  /** Tells that a process will be put into a cgroup within some milliseconds, which makes that quick. Returns at once. */
  expectAttach(): void;
}
