import type { CgroupStats, ReadControllerFile } from './cgroup-stats.ts';
import { lines, parseCount, parseCounts, parseKeyed, parseLimit, pick } from './parse.ts';
import type { BlkioEntry, BlkioStats, MemoryStats } from './types.ts';

/** USER_HZ, the unit of `cpuacct.stat`: 100 on every architecture Linux still runs on. */
const TICK_NS = 1e9 / 100;

/** What docker passes on of `memory.stat`. Source: moby `daemon/stats_unix.go`. */
const MEMORY_NAMES = [
  'cache',
  'rss',
  'rss_huge',
  'mapped_file',
  'dirty',
  'writeback',
  'pgpgin',
  'pgpgout',
  'pgfault',
  'pgmajfault',
  'inactive_anon',
  'active_anon',
  'inactive_file',
  'active_file',
  'unevictable',
] as const;
const MEMORY_DETAILS = [
  ...MEMORY_NAMES,
  'hierarchical_memory_limit',
  'hierarchical_memsw_limit',
  ...MEMORY_NAMES.map((name) => `total_${name}`),
];

/** One container of a v1 or hybrid machine: every controller has a tree of its own. */
export function readV1(read: ReadControllerFile): CgroupStats | undefined {
  const total = read('cpuacct', 'cpuacct.usage');
  const memory = readMemory(read);
  // Neither is there: the cgroup is gone.
  if (total === undefined && memory === undefined) return undefined;
  const times = parseKeyed(read('cpuacct', 'cpuacct.stat'));
  const throttling = parseKeyed(read('cpu', 'cpu.stat'));
  return {
    cpu: {
      totalNs: parseCount(total),
      perCpuNs: parseCounts(read('cpuacct', 'cpuacct.usage_percpu')),
      kernelNs: (times.get('system') ?? 0) * TICK_NS,
      userNs: (times.get('user') ?? 0) * TICK_NS,
      throttling: {
        periods: throttling.get('nr_periods') ?? 0,
        throttledPeriods: throttling.get('nr_throttled') ?? 0,
        throttledNs: throttling.get('throttled_time') ?? 0,
      },
    },
    memory,
    pids: readPids(read),
    blkio: readBlkio(read),
  };
}

function readMemory(read: ReadControllerFile): MemoryStats | undefined {
  const usage = read('memory', 'memory.usage_in_bytes');
  if (usage === undefined) return undefined;
  return {
    usage: parseCount(usage),
    maxUsage: parseCount(read('memory', 'memory.max_usage_in_bytes')),
    failcnt: parseCount(read('memory', 'memory.failcnt')),
    limit: parseCount(read('memory', 'memory.limit_in_bytes')),
    details: pick(parseKeyed(read('memory', 'memory.stat')), MEMORY_DETAILS),
  };
}

function readPids(read: ReadControllerFile): CgroupStats['pids'] {
  const current = read('pids', 'pids.current');
  if (current === undefined) return undefined;
  return { current: parseCount(current), limit: parseLimit(read('pids', 'pids.max')) };
}

function readBlkio(read: ReadControllerFile): BlkioStats {
  // The recursive files count what execs in cgroups of their own do; kernels before 4.13 lack them.
  const file = (name: string): BlkioEntry[] =>
    parseBlkio(read('blkio', `blkio.throttle.${name}_recursive`) ?? read('blkio', `blkio.throttle.${name}`));
  return { serviceBytes: file('io_service_bytes'), serviced: file('io_serviced'), others: [] };
}

/** Lines such as `8:0 Read 4096`; the sum over all devices at the end (`Total 4096`) is left out. */
export function parseBlkio(text: string | undefined): BlkioEntry[] {
  const entries: BlkioEntry[] = [];
  for (const line of lines(text)) {
    const match = /^(\d+):(\d+) (?:(\w+) )?(\d+)$/.exec(line);
    if (!match) continue;
    const [, major, minor, op = '', value] = match;
    entries.push({ major: Number(major), minor: Number(minor), op, value: Number(value) });
  }
  return entries;
}
