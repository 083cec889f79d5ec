import type { CgroupStats, ReadControllerFile } from './cgroup-stats.ts';
import { lines, parseCount, parseKeyed, parseLimit, pick } from './parse.ts';
import type { BlkioEntry, MemoryStats } from './types.ts';

const MICROSECOND_NS = 1000;

/** What docker passes on of `memory.stat`. Source: moby `daemon/stats_unix.go`. */
const MEMORY_DETAILS = [
  'anon',
  'file',
  'kernel_stack',
  'slab',
  'sock',
  'shmem',
  'file_mapped',
  'file_dirty',
  'file_writeback',
  'anon_thp',
  'inactive_anon',
  'active_anon',
  'inactive_file',
  'active_file',
  'unevictable',
  'slab_reclaimable',
  'slab_unreclaimable',
  'pgfault',
  'pgmajfault',
  'workingset_refault',
  'workingset_activate',
  'workingset_nodereclaim',
  'pgrefill',
  'pgscan',
  'pgsteal',
  'pgactivate',
  'pgdeactivate',
  'pglazyfree',
  'pglazyfreed',
  'thp_fault_alloc',
  'thp_collapse_alloc',
];

/** One container of a machine with the unified tree. */
export function readV2(read: ReadControllerFile): CgroupStats | undefined {
  const stat = read('cpu', 'cpu.stat');
  // Every cgroup but the root has it, whatever controllers are on.
  if (stat === undefined) return undefined;
  const cpu = parseKeyed(stat);
  const ns = (name: string): number => (cpu.get(name) ?? 0) * MICROSECOND_NS;
  const current = read('pids', 'pids.current');
  return {
    cpu: {
      totalNs: ns('usage_usec'),
      perCpuNs: undefined,
      kernelNs: ns('system_usec'),
      userNs: ns('user_usec'),
      throttling: {
        periods: cpu.get('nr_periods') ?? 0,
        throttledPeriods: cpu.get('nr_throttled') ?? 0,
        throttledNs: ns('throttled_usec'),
      },
    },
    memory: readMemory(read),
    pids:
      current === undefined
        ? undefined
        : { current: parseCount(current), limit: parseLimit(read('pids', 'pids.max')) },
    blkio: {
      serviceBytes: orUndefined(parseIoStat(read('io', 'io.stat'))),
      serviced: undefined,
      others: undefined,
    },
  };
}

function readMemory(read: ReadControllerFile): MemoryStats | undefined {
  const usage = read('memory', 'memory.current');
  if (usage === undefined) return undefined;
  return {
    usage: parseCount(usage),
    maxUsage: 0,
    failcnt: parseKeyed(read('memory', 'memory.events')).get('oom') ?? 0,
    limit: parseLimit(read('memory', 'memory.max')) ?? Number.POSITIVE_INFINITY,
    details: pick(parseKeyed(read('memory', 'memory.stat')), MEMORY_DETAILS),
  };
}

/** Lines such as `8:0 rbytes=4096 wbytes=0 rios=1 …`: a `read` and a `write` entry for each. */
export function parseIoStat(text: string | undefined): BlkioEntry[] {
  const entries: BlkioEntry[] = [];
  for (const line of lines(text)) {
    const [device = '', ...pairs] = line.split(' ');
    const [major, minor] = device.split(':').map(Number);
    if (major === undefined || minor === undefined || pairs.length === 0) continue;
    const values = new Map(pairs.map((pair) => pair.split('=', 2) as [string, string]));
    for (const [op, key] of [
      ['read', 'rbytes'],
      ['write', 'wbytes'],
    ] as const)
      entries.push({ major, minor, op, value: parseCount(values.get(key)) });
  }
  return entries;
}

const orUndefined = <T>(entries: readonly T[]): readonly T[] | undefined =>
  entries.length === 0 ? undefined : entries;
