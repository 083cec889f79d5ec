import type { Resources } from '../model.ts';
import type { OptionalLimit, ResourceHost } from './resource-host.ts';

interface Discard {
  /** Undefined: no Linux has it. */
  readonly limit?: OptionalLimit;
  readonly applies: (resources: Resources) => boolean;
  readonly without: Partial<Resources>;
  readonly text: string;
}

const kernel = (what: string, effect: string) =>
  `Your kernel does not support ${what} or the cgroup is not mounted. ${effect}`;

/** What is left out where the kernel lacks it, and what is only warned of. Source of order and texts: moby `daemon/daemon_unix.go`. */
const DISCARDS: readonly Discard[] = [
  {
    limit: 'memory',
    applies: ({ memory }) => memory > 0,
    without: { memory: 0, memorySwap: -1 },
    text: kernel('memory limit capabilities', 'Limitation discarded.'),
  },
  {
    limit: 'swap',
    applies: ({ memory, memorySwap }) => memory > 0 && memorySwap !== -1,
    without: { memorySwap: -1 },
    text: kernel('swap limit capabilities', 'Memory limited without swap.'),
  },
  {
    limit: 'swappiness',
    applies: ({ memorySwappiness = -1 }) => memorySwappiness !== -1,
    without: { memorySwappiness: undefined },
    text: kernel('memory swappiness capabilities', 'Memory swappiness discarded.'),
  },
  {
    limit: 'reservation',
    applies: ({ memoryReservation }) => memoryReservation > 0,
    without: { memoryReservation: 0 },
    text: kernel('memory soft limit capabilities', 'Limitation discarded.'),
  },
  {
    limit: 'oomKillDisable',
    applies: ({ oomKillDisable }) => oomKillDisable === true,
    without: { oomKillDisable: undefined },
    text: 'Your kernel does not support OomKillDisable. OomKillDisable discarded.',
  },
  {
    applies: ({ oomKillDisable, memory }) => oomKillDisable === true && memory === 0,
    without: {},
    text: 'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.',
  },
  {
    limit: 'pids',
    applies: ({ pidsLimit = 0 }) => pidsLimit > 0,
    without: { pidsLimit: undefined },
    text: kernel('PIDs limit capabilities', 'PIDs limit discarded.'),
  },
  {
    limit: 'shares',
    applies: ({ cpuShares }) => cpuShares > 0,
    without: { cpuShares: 0 },
    text: kernel('CPU shares', 'Shares discarded.'),
  },
  {
    limit: 'quota',
    applies: ({ cpuPeriod, cpuQuota }) => cpuPeriod !== 0 || cpuQuota !== 0,
    without: { cpuPeriod: 0, cpuQuota: 0 },
    text: 'Your kernel does not support CPU CFS scheduler. CPU period/quota discarded.',
  },
  {
    applies: ({ cpuPercent }) => cpuPercent > 0,
    without: { cpuPercent: 0 },
    text: 'linux does not support CPU percent. Percent discarded.',
  },
  {
    limit: 'cpuset',
    applies: ({ cpusetCpus, cpusetMems }) => cpusetCpus !== '' || cpusetMems !== '',
    without: { cpusetCpus: '', cpusetMems: '' },
    text: kernel('cpuset', 'Cpuset discarded.'),
  },
  {
    limit: 'blockWeight',
    applies: ({ blkioWeight }) => blkioWeight > 0,
    without: { blkioWeight: 0 },
    text: kernel('Block I/O weight', 'Weight discarded.'),
  },
  {
    limit: 'blockWeight',
    applies: ({ blkioWeightDevice }) => blkioWeightDevice.length > 0,
    without: { blkioWeightDevice: [] },
    text: kernel('Block I/O weight_device', 'Weight-device discarded.'),
  },
  {
    limit: 'readBps',
    applies: ({ blkioDeviceReadBps }) => blkioDeviceReadBps.length > 0,
    without: { blkioDeviceReadBps: [] },
    text: kernel('BPS Block I/O read limit', 'Block I/O BPS read limit discarded.'),
  },
  {
    limit: 'writeBps',
    applies: ({ blkioDeviceWriteBps }) => blkioDeviceWriteBps.length > 0,
    without: { blkioDeviceWriteBps: [] },
    text: kernel('BPS Block I/O write limit', 'Block I/O BPS write limit discarded.'),
  },
  {
    limit: 'readIOps',
    applies: ({ blkioDeviceReadIOps }) => blkioDeviceReadIOps.length > 0,
    without: { blkioDeviceReadIOps: [] },
    text: kernel('IOPS Block read limit', 'Block I/O IOPS read limit discarded.'),
  },
  {
    limit: 'writeIOps',
    applies: ({ blkioDeviceWriteIOps }) => blkioDeviceWriteIOps.length > 0,
    without: { blkioDeviceWriteIOps: [] },
    text: kernel('IOPS Block write limit', 'Block I/O IOPS write limit discarded.'),
  },
];

/**
 * Leaves out the limits that this machine cannot give, and what Linux does not know, with docker's warnings; other
 * fields than limits stay as they are. Limits that are refused where the kernel lacks them are left for
 * `checkResources`.
 */
export function discardLimits<T extends Resources>(
  given: T,
  { supported }: Pick<ResourceHost, 'supported'>,
): { readonly value: T; readonly warnings: readonly string[] } {
  const warnings: string[] = [];
  let value = given;
  // In order: what is left out before may be why the next one does not matter.
  for (const { limit, applies, without, text } of DISCARDS) {
    if ((limit !== undefined && supported.has(limit)) || !applies(value)) continue;
    value = { ...value, ...without };
    warnings.push(text);
  }
  return { value, warnings };
}
