import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { SpecMount } from '#oci';
import { bindSourceMissing } from '../errors.ts';
import type { HostConfig, MountPoint } from '../model.ts';
import type { ContainerPaths } from '../paths.ts';
import { tmpfsMountOptions } from './tmpfs-options.ts';

/**
 * The container's mounts as the runtime takes them, parents before children. Sources of `-v` binds that are
 * missing are made (as root, mode 0755), as docker does.
 * @throws `invalid_argument` when a source is missing that must not be made.
 */
export function specMounts(
  mounts: readonly MountPoint[],
  host: HostConfig,
  files: Pick<ContainerPaths, 'hostname' | 'hosts' | 'resolvConf'>,
): SpecMount[] {
  const user = [...mounts.map(toSpecMount), ...Object.entries(host.tmpfs).map(tmpfsMount)];
  const taken = new Set(user.map(({ destination }) => destination));
  const own = [
    fileMount(files.resolvConf, '/etc/resolv.conf'),
    fileMount(files.hostname, '/etc/hostname'),
    fileMount(files.hosts, '/etc/hosts'),
  ].filter(({ destination, source }) => source !== '' && !taken.has(destination));
  return [...own, ...user].sort((a, b) => depth(a.destination) - depth(b.destination));
}

const depth = (path: string): number => path.split('/').filter(Boolean).length;

const fileMount = (source: string, destination: string): SpecMount => ({
  type: 'bind',
  source,
  destination,
  options: ['rbind', 'rprivate'],
});

const tmpfsMount = ([destination, options]: [string, string]): SpecMount => ({
  type: 'tmpfs',
  source: 'tmpfs',
  destination,
  options: tmpfsMountOptions(options),
});

function toSpecMount(mount: MountPoint): SpecMount {
  const { destination } = mount;
  if (mount.type === 'tmpfs') {
    return { type: 'tmpfs', source: 'tmpfs', destination, options: [...(mount.tmpfsOptions ?? [])] };
  }
  const source = mount.subpath ? join(mount.source, mount.subpath) : mount.source;
  ensureSource(source, mount.createSource ?? false);
  const options = [
    mount.nonRecursive ? 'bind' : 'rbind',
    mount.rw ? 'rw' : 'ro',
    mount.propagation || 'rprivate',
  ];
  return { type: 'bind', source, destination, options };
}

function ensureSource(source: string, mayCreate: boolean): void {
  if (statSync(source, { throwIfNoEntry: false })) return;
  if (!mayCreate) throw bindSourceMissing(source);
  mkdirSync(source, { recursive: true, mode: 0o755 });
}
