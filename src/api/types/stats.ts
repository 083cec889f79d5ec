export interface ContainerThrottlingData {
  readonly periods: number;
  readonly throttled_periods: number;
  readonly throttled_time: number;
}

/** Nanoseconds of CPU time. */
export interface ContainerCPUUsage {
  readonly total_usage: number;
  readonly percpu_usage?: readonly number[];
  readonly usage_in_kernelmode: number;
  readonly usage_in_usermode: number;
}

export interface ContainerCPUStats {
  readonly cpu_usage: ContainerCPUUsage;
  readonly system_cpu_usage?: number;
  readonly online_cpus?: number;
  readonly throttling_data: ContainerThrottlingData;
}

export interface ContainerMemoryStats {
  readonly usage?: number;
  readonly max_usage?: number;
  readonly stats?: Readonly<Record<string, number>>;
  readonly failcnt?: number;
  readonly limit?: number;
}

export interface ContainerBlkioStatEntry {
  readonly major: number;
  readonly minor: number;
  readonly op: string;
  readonly value: number;
}

type BlkioEntries = readonly ContainerBlkioStatEntry[] | null;

export interface ContainerBlkioStats {
  readonly io_service_bytes_recursive: BlkioEntries;
  readonly io_serviced_recursive: BlkioEntries;
  readonly io_queue_recursive: BlkioEntries;
  readonly io_service_time_recursive: BlkioEntries;
  readonly io_wait_time_recursive: BlkioEntries;
  readonly io_merged_recursive: BlkioEntries;
  readonly io_time_recursive: BlkioEntries;
  readonly sectors_recursive: BlkioEntries;
}

export interface ContainerNetworkStats {
  readonly rx_bytes: number;
  readonly rx_packets: number;
  readonly rx_errors: number;
  readonly rx_dropped: number;
  readonly tx_bytes: number;
  readonly tx_packets: number;
  readonly tx_errors: number;
  readonly tx_dropped: number;
}

export interface ContainerStatsResponse {
  readonly id?: string;
  readonly name?: string;
  readonly os_type?: string;
  readonly read: string;
  readonly cpu_stats: ContainerCPUStats;
  readonly memory_stats: ContainerMemoryStats;
  readonly networks?: Readonly<Record<string, ContainerNetworkStats>>;
  readonly pids_stats: { readonly current?: number; readonly limit?: number };
  readonly blkio_stats: ContainerBlkioStats;
  readonly num_procs: number;
  readonly storage_stats: Readonly<Record<string, number>>;
  readonly preread: string;
  readonly precpu_stats: ContainerCPUStats;
}
