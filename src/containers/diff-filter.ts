import type { FilesystemChange } from '#store';

/**
 * What the runtime puts into every root file system as mount points. Docker keeps these in a layer of its own below
 * the container's, so that `diff` does not show them.
 */
const MOUNT_POINTS: ReadonlySet<string> = new Set([
  '/dev',
  '/dev/console',
  '/dev/mqueue',
  '/dev/pts',
  '/dev/shm',
  '/etc',
  '/etc/hostname',
  '/etc/hosts',
  '/etc/mtab',
  '/etc/resolv.conf',
  '/proc',
  '/run',
  '/sbin',
  '/sbin/docker-init',
  '/sys',
]);

/** The changes a user made: without mount points, and without parents that changed only because of them. */
export function withoutMountPoints(changes: readonly FilesystemChange[]): FilesystemChange[] {
  const isOurs = ({ path, kind }: FilesystemChange) => MOUNT_POINTS.has(path) && kind !== 'deleted';
  const users = changes.filter((change) => !isOurs(change));
  return changes.filter(
    (change) => !isOurs(change) || users.some(({ path }) => path.startsWith(`${change.path}/`)),
  );
}
