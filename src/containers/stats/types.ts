/**
 * Nanoseconds of CPU time. Counters here and below are JavaScript numbers: exact to 2^53, beyond that (three months of
 * CPU time in nanoseconds) off by a few units, which no reader of statistics can see.
 */
export interface CpuStats {
  readonly totalNs: number;
  /** Per CPU, by number. Undefined with cgroup v2, which does not count it. */
  readonly perCpuNs: readonly number[] | undefined;
  readonly kernelNs: number;
  readonly userNs: number;
  /** CPU time of the whole machine, idle time included; 0 where no sample was taken. */
  readonly systemNs: number;
  /** 0 where no sample was taken. */
  readonly onlineCpus: number;
  readonly throttling: {
    readonly periods: number;
    readonly throttledPeriods: number;
    readonly throttledNs: number;
  };
}

/** Bytes. */
export interface MemoryStats {
  readonly usage: number;
  /** 0 with cgroup v2, as docker has it. */
  readonly maxUsage: number;
  /** How often the limit was hit: v1 `memory.failcnt`, v2 `oom` of `memory.events`. */
  readonly failcnt: number;
  /** The memory of the machine where the container has no limit or a larger one. */
  readonly limit: number;
  /** Lines of `memory.stat` that docker shows. The names differ between cgroup v1 and v2. */
  readonly details: Readonly<Record<string, number>>;
}

export interface BlkioEntry {
  readonly major: number;
  readonly minor: number;
  /** v1: `Read`, `Write`, `Sync`, … as the kernel writes them; v2: `read`, `write`. */
  readonly op: string;
  readonly value: number;
}

/**
 * Block I/O by device. Undefined is `null` on the wire. The other six lists of the API come from a scheduler that Linux
 * has dropped: empty where these are lists with v1, null with v2.
 */
export interface BlkioStats {
  readonly serviceBytes: readonly BlkioEntry[] | undefined;
  readonly serviced: readonly BlkioEntry[] | undefined;
  /** What the other six lists are: empty (v1) or null (v2, no sample). */
  readonly others: readonly BlkioEntry[] | undefined;
}

export interface NetworkStats {
  readonly rxBytes: number;
  readonly rxPackets: number;
  readonly rxErrors: number;
  readonly rxDropped: number;
  readonly txBytes: number;
  readonly txPackets: number;
  readonly txErrors: number;
  readonly txDropped: number;
}

/** What one look at a container's cgroup and network namespace gives. */
export interface ContainerSample {
  /** Undefined when the container does not run: everything else is then zero or missing. */
  readonly readAt: Date | undefined;
  readonly cpu: CpuStats;
  readonly memory: MemoryStats | undefined;
  /** `limit` undefined: none. On the wire docker writes 18446744073709551615 then. */
  readonly pids: { readonly current: number; readonly limit: number | undefined } | undefined;
  readonly blkio: BlkioStats;
  /** By interface name as the container sees it; empty is left out of the answer. */
  readonly networks: Readonly<Record<string, NetworkStats>>;
}

/**
 * A sample with the CPU figures of the one before it, from which clients reckon percentages. `previous` is undefined
 * for the first sample of a stream and for one-shot reads: zero `precpu_stats`, zero `preread`.
 * Source: Engine API, ContainerStatsResponse; `num_procs` and `storage_stats` are Windows-only, 0 and empty.
 */
export interface ContainerStats extends ContainerSample {
  readonly previous: Pick<ContainerSample, 'readAt' | 'cpu'> | undefined;
}

/** A container as the sampler needs it. */
export interface StatsTarget {
  readonly id: string;
  /** Path relative to the cgroup root, such as `/gantry/<id>`. */
  readonly cgroupPath: string;
  /** Of init, in the daemon's PID namespace. Undefined: it does not run. */
  readonly pid: number | undefined;
  /**
   * Names of the interfaces to report. Undefined: all but `lo`. Empty for host networking and none: reading
   * `/proc/<pid>/net/dev` would show the host's interfaces there.
   */
  readonly interfaces?: readonly string[];
}
