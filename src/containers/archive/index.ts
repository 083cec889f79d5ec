/**
 * archive: files into and out of containers (`docker cp`, HEAD/GET/PUT archive), running or stopped.
 *
 * **Terms.** *Tree*: a container's file system as its processes see it. *Live tree*: through `/proc/<pid>/root`, the kernel
 * crosses mounts, tmpfs and volumes are seen. *Stopped tree*: the mounted snapshot with binds and volumes laid over it by
 * name. *Place*: a root and a path below it. *Transient mount*: `/proc`, `/sys`, `/dev` and the like; archives show them as
 * empty directories unless they were asked for.
 *
 * **Invariants** (beyond.md S3)
 * - Every path of a container goes through a `RootedDir` of its own tree: names, links and races lead elsewhere in the container
 *   at worst. In a stopped tree each bind and volume has its own root, so that a link in a volume is a link in the container.
 * - Nothing is run in a container and no program of one is run. gzip and zstd are unpacked in this process, bzip2 and xz by the
 *   host's own programs; what enters a container is a plain tar.
 * - Writing opens only what it has just made (`O_EXCL`); reading opens only the very inode that was seen to be a regular file.
 * - What is mounted on is never removed to make room: it would empty a volume or unmount it from a running container.
 * - Links on the way and absolute links (`/var/run`) work, with the container's root as their root.
 *
 * **Owners.** The archive's IDs are kept, with and without `copyUIDGID`, or `owner` is set for everything (`--chown`). With a user
 * namespace archives carry the container's IDs, the disk has the host's.
 *
 * **Not here:** who locks the container meanwhile (a start or stop must not happen during an operation), mounting and
 * unmounting its snapshot, events, HTTP headers, names of users.
 */
export {
  type ArchiveSource,
  readArchive,
  statArchive,
  type WriteOptions,
  writeArchive,
} from './archive.ts';
export { goFileMode } from './file-mode.ts';
export { type GivingWayOptions, givingWay } from './giving-way.ts';
export { type LiveTreeOptions, type LiveTreeSys, openLiveTree } from './live-tree.ts';
export type { Owner, OwnerMappings } from './ownership.ts';
export type { PathStat } from './path-stat.ts';
export { openStoppedTree, type StoppedMount, type StoppedTreeOptions } from './stopped-tree.ts';
export { type ContainerTree, type Place, resolveLoosely, type TreeMount } from './tree.ts';
