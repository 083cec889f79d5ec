import {
  type ContainerBlkioStats,
  type ContainerCPUStats,
  type ContainerMemoryStats,
  type ContainerStatsResponse,
  ZERO_TIME,
} from '#api';
import type { ContainerSample, ContainerStats, ContainerView } from '#containers';
import { byKey, omitEmpty, omitEmptyObject } from './zero.ts';

/** What TypeScript's library does not know yet: a number written digit by digit. */
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => number };

/** Go's largest uint64, which docker writes for "no limit". A JavaScript number cannot hold it. */
const NO_LIMIT = '18446744073709551615';

/** Statistics in docker's order and with its zeros left out. Source: moby `api/types/container/stats.go`. */
export function fromStats(
  stats: ContainerStats,
  { id, name }: Pick<ContainerView, 'id' | 'name'>,
): ContainerStatsResponse {
  return {
    id,
    name: `/${name}`,
    os_type: 'linux',
    read: stats.readAt?.toISOString() ?? ZERO_TIME,
    cpu_stats: fromCpu(stats.cpu),
    memory_stats: fromMemory(stats.memory),
    ...omitEmptyObject('networks', fromNetworks(stats.networks)),
    pids_stats: fromPids(stats.pids),
    blkio_stats: fromBlkio(stats.blkio),
    num_procs: 0,
    storage_stats: {},
    preread: stats.previous?.readAt?.toISOString() ?? ZERO_TIME,
    precpu_stats: fromCpu(stats.previous?.cpu),
  };
}

function fromCpu(cpu: ContainerSample['cpu'] | undefined): ContainerCPUStats {
  return {
    cpu_usage: {
      total_usage: cpu?.totalNs ?? 0,
      ...omitEmptyObject('percpu_usage', cpu?.perCpuNs),
      usage_in_kernelmode: cpu?.kernelNs ?? 0,
      usage_in_usermode: cpu?.userNs ?? 0,
    },
    ...omitEmpty('system_cpu_usage', cpu?.systemNs),
    ...omitEmpty('online_cpus', cpu?.onlineCpus),
    throttling_data: {
      periods: cpu?.throttling.periods ?? 0,
      throttled_periods: cpu?.throttling.throttledPeriods ?? 0,
      throttled_time: cpu?.throttling.throttledNs ?? 0,
    },
  };
}

function fromMemory(memory: ContainerSample['memory']): ContainerMemoryStats {
  return {
    ...omitEmpty('usage', memory?.usage),
    ...omitEmpty('max_usage', memory?.maxUsage),
    ...omitEmptyObject('stats', byKey(memory?.details ?? {})),
    ...omitEmpty('failcnt', memory?.failcnt),
    ...omitEmpty('limit', memory?.limit),
  };
}

function fromPids(pids: ContainerSample['pids']): ContainerStatsResponse['pids_stats'] {
  if (!pids) return {};
  const limit = pids.limit ?? rawJSON(NO_LIMIT);
  return { ...omitEmpty('current', pids.current), limit };
}

function fromBlkio({ serviceBytes, serviced, others }: ContainerSample['blkio']): ContainerBlkioStats {
  const other = others ?? null;
  return {
    io_service_bytes_recursive: serviceBytes ?? null,
    io_serviced_recursive: serviced ?? null,
    io_queue_recursive: other,
    io_service_time_recursive: other,
    io_wait_time_recursive: other,
    io_merged_recursive: other,
    io_time_recursive: other,
    sectors_recursive: other,
  };
}

function fromNetworks(
  networks: ContainerSample['networks'],
): NonNullable<ContainerStatsResponse['networks']> {
  return Object.fromEntries(
    Object.entries(byKey(networks)).map(([name, counters]) => [
      name,
      {
        rx_bytes: counters.rxBytes,
        rx_packets: counters.rxPackets,
        rx_errors: counters.rxErrors,
        rx_dropped: counters.rxDropped,
        tx_bytes: counters.txBytes,
        tx_packets: counters.txPackets,
        tx_errors: counters.txErrors,
        tx_dropped: counters.txDropped,
      },
    ]),
  );
}
