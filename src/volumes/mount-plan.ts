import { isIP } from 'node:net';
import {
  type Mounts,
  MS_BIND,
  MS_NOATIME,
  MS_NODEV,
  MS_NODIRATIME,
  MS_NOEXEC,
  MS_NOSUID,
  MS_RDONLY,
  MS_REC,
  MS_REMOUNT,
} from '#sys';
import { PROPAGATION, parseMountFlags } from './mount-flags.ts';

export type MountCall = Parameters<Mounts['mount']>[0];

/** One call of mount(2), and what docker calls it in the text of its failure. */
export interface MountStep {
  readonly op: 'mount' | 'remount' | 'remount-ro';
  readonly call: MountCall;
  /**
   * A bind that follows its source and does not reach back, because the user says nothing else: the end of a volume
   * must not unmount anything of the host. (Docker's is the peer of a shared source, and takes the host's mounts below it away
   * with the volume's.)
   */
  readonly isFollower?: boolean;
}

/** What mounts a volume, in order; when a later step fails, what the first one has mounted has to go again. */
export interface MountPlan {
  readonly steps: readonly MountStep[];
  /** Waits for a disk or a server, perhaps for minutes. */
  readonly maySleep: boolean;
}

/** The first address of a host. @throws when it has none. */
export type ResolveHost = (host: string) => Promise<string>;

/** Flags that mount(2) does not heed when it makes a bind, only when it changes one. */
const OF_THE_BIND = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME;

/**
 * What mounts a volume with these options at `target`. @throws what `resolve` throws.
 */
export async function planMount(
  options: Readonly<Record<string, string>>,
  target: string,
  resolve: ResolveHost,
): Promise<MountPlan> {
  const fstype = options['type'] ?? '';
  const { source, list } = await withAddresses(fstype, options, resolve);
  const { flags, data } = parseMountFlags(list);
  const own = flags & ~PROPAGATION;
  const isBind = (own & MS_BIND) !== 0;
  const propagation = flags & PROPAGATION;
  const first: MountStep = { op: 'mount', call: { source, target, fstype, flags: own, data } };
  const steps: MountStep[] = [isBind && propagation === 0 ? { ...first, isFollower: true } : first];
  if (propagation !== 0) {
    steps.push({ op: 'remount', call: { target, flags: flags & (PROPAGATION | MS_REC) } });
  }
  if (isBind && (own & OF_THE_BIND) !== 0) {
    steps.push({ op: 'remount-ro', call: { target, flags: (own & ~MS_REC) | MS_REMOUNT } });
  }
  return { steps, maySleep: !isBind && fstype !== 'tmpfs' };
}

/** The kernel has no resolver: host names become addresses. Source: moby `daemon/volume/local/local_unix.go`. */
async function withAddresses(
  fstype: string,
  { device = '', o = '' }: Readonly<Record<string, string>>,
  resolve: ResolveHost,
): Promise<{ source: string; list: string }> {
  if (fstype !== 'nfs' && fstype !== 'cifs') return { source: device, list: o };
  const address = o
    .split(',')
    .find((option) => option.startsWith('addr='))
    ?.slice('addr='.length);
  if (address && isIP(address) === 0) {
    return { source: device, list: o.replace(`addr=${address}`, `addr=${await resolve(address)}`) };
  }
  return { source: fstype === 'cifs' ? await withHostAddress(device, resolve) : device, list: o };
}

/** `//server/share` → `//192.0.2.1/share`. */
async function withHostAddress(device: string, resolve: ResolveHost): Promise<string> {
  const [, host, rest] = /^\/\/([^/]+)(.*)$/s.exec(device) ?? [];
  if (host === undefined || isIP(host) !== 0) return device;
  return `//${await resolve(host)}${rest}`;
}
