import type { CgroupMode } from '#sys';
import type { ContainerDefaults } from '../defaults.ts';
import type { Container, HostConfig } from '../model.ts';
import { impliedLabelOptions } from '../spec/selinux.ts';

const MIN_SHARES = 2;
const MAX_SHARES = 262_144;
const DONOR = 'container:';

/**
 * Fills in what the user left open, as docker does at create, so that `inspect` shows what is in effect. Names of
 * containers in modes become IDs, which survive a rename.
 */
export function adaptHostConfig(
  host: HostConfig,
  defaults: ContainerDefaults,
  context: {
    readonly cgroupMode: CgroupMode;
    readonly resolve: (ref: string) => Container;
    readonly defaultRuntime: string;
    /** The kernel can leave a container without memory instead of killing. */
    readonly canDisableOomKiller: boolean;
    /** What is hidden from containers, and what they cannot write to. */
    readonly paths: Pick<HostConfig, 'maskedPaths' | 'readonlyPaths'>;
  },
): HostConfig {
  const byId = (mode: string) => withDonorId(mode, context.resolve);
  const isV1 = context.cgroupMode !== 'unified';
  return {
    ...host,
    networkMode: byId(host.networkMode || 'default'),
    pidMode: byId(host.pidMode),
    ipcMode: byId(host.ipcMode || defaults.ipcMode),
    cgroupnsMode: host.cgroupnsMode || (defaults.cgroupnsMode ?? (isV1 ? 'host' : 'private')),
    shmSize: host.shmSize === 0 ? defaults.shmSizeBytes : host.shmSize,
    runtime: host.runtime || context.defaultRuntime,
    memorySwap: memorySwap(host),
    cpuShares: withinShares(host.cpuShares),
    memorySwappiness: host.memorySwappiness === -1 ? undefined : host.memorySwappiness,
    oomKillDisable: host.oomKillDisable ?? (context.canDisableOomKiller ? false : undefined),
    // Zero and below are no limit, as is none.
    pidsLimit: (host.pidsLimit ?? 0) > 0 ? host.pidsLimit : undefined,
    ...restrictions(host, context.paths),
    securityOpt: [...host.securityOpt, ...impliedLabelOptions(host, context.resolve)],
  };
}

/** A container that there is not is as docker leaves it: whoever needs it, at the latest the start, tells. */
function withDonorId(mode: string, resolve: (ref: string) => Container): string {
  if (!mode.startsWith(DONOR) || mode === DONOR) return mode;
  try {
    return DONOR + resolve(mode.slice(DONOR.length)).id;
  } catch {
    return mode;
  }
}

/** What the kernel makes of shares; zero is none, below it is refused later. */
export const withinShares = (shares: number): number =>
  shares > 0 ? Math.min(Math.max(shares, MIN_SHARES), MAX_SHARES) : shares;

function restrictions(host: HostConfig, usual: Pick<HostConfig, 'maskedPaths' | 'readonlyPaths'>) {
  const own = { maskedPaths: host.maskedPaths, readonlyPaths: host.readonlyPaths };
  if (host.privileged) return own;
  return {
    maskedPaths: own.maskedPaths ?? usual.maskedPaths,
    readonlyPaths: own.readonlyPaths ?? usual.readonlyPaths,
  };
}

/** Without a swap limit a memory limit means as much swap again; anything below zero is as much as there is. */
function memorySwap({ memory, memorySwap: swap }: HostConfig): number {
  if (memory > 0 && swap === 0) return memory * 2;
  return Math.max(swap, -1);
}
