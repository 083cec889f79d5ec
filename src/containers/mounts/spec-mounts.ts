import { chownSync, mkdirSync, statSync } from 'node:fs';
import type { SpecMount } from '#oci';
import type { MountInfo } from '#sys';
import { bindSourceMissing } from '../errors.ts';
import type { HostConfig, MountPoint } from '../model.ts';
import type { ContainerPaths } from '../paths.ts';
import { allowedPropagation } from './propagation.ts';
import { accessOption } from './read-only.ts';
import { subpathSource } from './subpaths.ts';
import { tmpfsMountOptions } from './tmpfs-options.ts';

/** What is around the container's mounts: the engine's files for it, and the host. */
export interface SpecMountContext extends Pick<ContainerPaths, 'hostname' | 'hosts' | 'resolvConf'> {
  /** The container's root on the host, if it is another: what is made for it belongs to it. */
  readonly owner?: Owner | undefined;
  readonly hostMounts: () => readonly MountInfo[];
  /** The restrictions (`ro`, `noexec`, …) of the host's mount that has a path. */
  readonly hostOptions: (path: string) => readonly string[];
  /** Why read-only mounts cannot be so with all that is mounted below; undefined: they can. */
  readonly shallowReadOnly?: string | undefined;
}

/**
 * The container's mounts as the runtime takes them, parents before children. Sources of `-v` binds that are
 * missing are made (as root, mode 0755), as docker does.
 * @throws `invalid_argument` when a source is missing that must not be made, `internal` for what the host does not allow.
 */
export function specMounts(
  mounts: readonly MountPoint[],
  host: HostConfig,
  context: SpecMountContext,
): SpecMount[] {
  const user = [
    ...mounts.map((mount) => toSpecMount(mount, context)),
    ...Object.entries(host.tmpfs).map(tmpfsMount),
  ];
  const taken = new Set(user.map(({ destination }) => destination));
  const access = host.readonlyRootfs ? 'ro' : 'rw';
  const own = [
    fileMount(context.resolvConf, '/etc/resolv.conf', access),
    fileMount(context.hostname, '/etc/hostname', access),
    fileMount(context.hosts, '/etc/hosts', access),
  ].filter(({ destination, source }) => source !== '' && !taken.has(destination));
  return [...own, ...user].sort((a, b) => depth(a.destination) - depth(b.destination));
}

const depth = (path: string): number => path.split('/').filter(Boolean).length;

const fileMount = (source: string, destination: string, access: 'ro' | 'rw'): SpecMount => ({
  type: 'bind',
  source,
  destination,
  options: ['rbind', access, 'rprivate'],
});

const tmpfsMount = ([destination, options]: [string, string]): SpecMount => ({
  type: 'tmpfs',
  source: 'tmpfs',
  destination,
  options: tmpfsMountOptions(options),
});

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

function toSpecMount(mount: MountPoint, context: SpecMountContext): SpecMount {
  const { destination } = mount;
  if (mount.type === 'tmpfs') {
    return { type: 'tmpfs', source: 'tmpfs', destination, options: [...(mount.tmpfsOptions ?? [])] };
  }
  const source = mount.subpath ? subpathSource(mount) : mount.source;
  ensureSource(source, mount.createSource ?? false, context.owner);
  const propagation = allowedPropagation(mount, source, context.hostMounts);
  const options = [
    mount.nonRecursive ? 'bind' : 'rbind',
    ...restrictions(accessTo(source, mount, context), context.hostOptions(source)),
    // For crun, any recursive propagation makes the bind recursive as well.
    mount.nonRecursive ? propagation.replace(/^r/, '') : propagation,
  ];
  return { type: 'bind', source, destination, options };
}

/** A container may take away from what the host allows, not add to it. */
const restrictions = (access: string, host: readonly string[]): string[] =>
  access === 'rw' && host.includes('ro') ? [...host] : [access, ...host.filter((option) => option !== 'ro')];

/** Nothing is mounted below a file, and crun takes what is to be `rro` for a directory. */
function accessTo(source: string, mount: MountPoint, { shallowReadOnly }: SpecMountContext): string {
  const access = accessOption(mount, shallowReadOnly);
  return access === 'rro' && !statSync(source).isDirectory() ? 'ro' : access;
}

function ensureSource(source: string, mayCreate: boolean, owner: Owner | undefined): void {
  if (statSync(source, { throwIfNoEntry: false })) return;
  if (!mayCreate) throw bindSourceMissing(source);
  mkdirSync(source, { recursive: true, mode: 0o755 });
  if (owner) chownSync(source, owner.uid, owner.gid);
}
