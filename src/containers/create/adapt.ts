import type { CgroupMode } from '#sys';
import type { ContainerDefaults } from '../defaults.ts';
import type { Container, HostConfig } from '../model.ts';

const MIN_SHARES = 2;
const MAX_SHARES = 262_144;

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
  },
): HostConfig {
  const byId = (mode: string) =>
    mode.startsWith('container:') && mode !== 'container:'
      ? `container:${context.resolve(mode.slice('container:'.length)).id}`
      : mode;
  const isV1 = context.cgroupMode !== 'unified';
  return {
    ...host,
    networkMode: byId(host.networkMode || 'default'),
    pidMode: byId(host.pidMode),
    ipcMode: byId(host.ipcMode || defaults.ipcMode),
    cgroupnsMode: host.cgroupnsMode || (isV1 ? 'host' : 'private'),
    shmSize: host.shmSize === 0 ? defaults.shmSizeBytes : host.shmSize,
    runtime: host.runtime || context.defaultRuntime,
    // Without a swap limit a memory limit means as much swap again.
    memorySwap: host.memory > 0 && host.memorySwap === 0 ? host.memory * 2 : host.memorySwap,
    cpuShares:
      host.cpuShares > 0 ? Math.min(Math.max(host.cpuShares, MIN_SHARES), MAX_SHARES) : host.cpuShares,
    memorySwappiness: host.memorySwappiness === -1 ? undefined : host.memorySwappiness,
  };
}
