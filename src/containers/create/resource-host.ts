import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { Cgroups } from '#sys';

/** Limits that not every kernel, version of cgroups or setting of a machine has. */
export type OptionalLimit =
  | 'memory'
  | 'swap'
  | 'swappiness'
  | 'reservation'
  | 'oomKillDisable'
  | 'pids'
  | 'shares'
  | 'quota'
  | 'realtime'
  | 'cpuset'
  | 'blockWeight'
  | 'readBps'
  | 'writeBps'
  | 'readIOps'
  | 'writeIOps';

/** What the kernel offers to check against. */
export interface ResourceHost {
  readonly cpus: number;
  /** List notation, such as `0-1`. */
  readonly cpusetCpus: string;
  readonly cpusetMems: string;
  readonly supported: ReadonlySet<OptionalLimit>;
}

interface Place {
  /** Controller and the file at the root that tells; any of them does. */
  readonly v1: readonly (readonly [controller: string, file: string])[];
  /** Controller that has it; undefined: none has. */
  readonly v2: string | undefined;
}

const THROTTLE = 'blkio.throttle';

/** Where each limit is. Source: kernel documentation, cgroup-v1 and cgroup-v2. */
const PLACES: Readonly<Record<OptionalLimit, Place>> = {
  memory: { v1: [['memory', 'memory.limit_in_bytes']], v2: 'memory' },
  swap: { v1: [['memory', 'memory.memsw.limit_in_bytes']], v2: 'memory' },
  swappiness: { v1: [['memory', 'memory.swappiness']], v2: undefined },
  reservation: { v1: [['memory', 'memory.soft_limit_in_bytes']], v2: 'memory' },
  oomKillDisable: { v1: [['memory', 'memory.oom_control']], v2: undefined },
  pids: { v1: [['pids', 'cgroup.procs']], v2: 'pids' },
  shares: { v1: [['cpu', 'cpu.shares']], v2: 'cpu' },
  quota: { v1: [['cpu', 'cpu.cfs_quota_us']], v2: 'cpu' },
  realtime: { v1: [['cpu', 'cpu.rt_period_us']], v2: undefined },
  cpuset: { v1: [['cpuset', 'cpuset.cpus']], v2: 'cpuset' },
  // BFQ's weights are below the root only; what it counts is at the root, too.
  blockWeight: {
    v1: [
      ['blkio', 'blkio.weight'],
      ['blkio', 'blkio.bfq.io_serviced'],
    ],
    v2: 'io',
  },
  readBps: { v1: [['blkio', `${THROTTLE}.read_bps_device`]], v2: 'io' },
  writeBps: { v1: [['blkio', `${THROTTLE}.write_bps_device`]], v2: 'io' },
  readIOps: { v1: [['blkio', `${THROTTLE}.read_iops_device`]], v2: 'io' },
  writeIOps: { v1: [['blkio', `${THROTTLE}.write_iops_device`]], v2: 'io' },
};

const NAMES = Object.keys(PLACES) as OptionalLimit[];

type Reader = Pick<Cgroups, 'mode' | 'read'>;

/** Reads it from the cgroup trees. `proc` is for recorded trees. */
export function readResourceHost(cgroups: Reader, options: { readonly proc?: string } = {}): ResourceHost {
  const cpus = availableParallelism();
  const isV2 = cgroups.mode === 'unified';
  const cpuset = (kind: string) =>
    cgroups.read('cpuset', '/', isV2 ? `cpuset.${kind}.effective` : `cpuset.${kind}`)?.trim();
  return {
    cpus,
    cpusetCpus: cpuset('cpus') || `0-${cpus - 1}`,
    cpusetMems: cpuset('mems') || '0',
    supported: isV2 ? supportedByV2(cgroups, options.proc ?? '/proc') : supportedByV1(cgroups),
  };
}

function supportedByV1(cgroups: Reader): Set<OptionalLimit> {
  const isThere = ([controller, file]: readonly [string, string]) =>
    cgroups.read(controller, '/', file) !== undefined;
  return new Set(NAMES.filter((name) => PLACES[name].v1.some(isThere)));
}

function supportedByV2(cgroups: Reader, proc: string): Set<OptionalLimit> {
  const controllers = (cgroups.read('', '/', 'cgroup.controllers') ?? '').split(/\s+/);
  const found = NAMES.filter((name) => controllers.includes(PLACES[name].v2 ?? 'none'));
  return new Set(found.filter((name) => name !== 'swap' || hasSwapLimit(cgroups, proc)));
}

/** The root of v2 has no limits to look for: below it the daemon's own cgroup tells, at it whether there is swap at all. */
function hasSwapLimit(cgroups: Reader, proc: string): boolean {
  const own = /^0::(\/.+)$/m.exec(readFileSync(`${proc}/self/cgroup`, 'utf8'))?.[1];
  if (own === undefined) return existsSync(`${proc}/swaps`);
  return cgroups.read('', own, 'memory.swap.max') !== undefined;
}

/** A machine that has everything. */
export const ALL_LIMITS: ReadonlySet<OptionalLimit> = new Set(NAMES);
