import type { BlkioStats, CpuStats, MemoryStats } from './types.ts';

/** Reads a file of the container's cgroup under one controller; undefined when it is not there. */
export type ReadControllerFile = (controller: string, file: string) => string | undefined;

/** What a cgroup says about itself. `memory.limit` may still be larger than the machine. */
export interface CgroupStats {
  readonly cpu: Omit<CpuStats, 'systemNs' | 'onlineCpus'>;
  readonly memory: MemoryStats | undefined;
  readonly pids: { readonly current: number; readonly limit: number | undefined } | undefined;
  readonly blkio: BlkioStats;
}
