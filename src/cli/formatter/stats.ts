import type { ContainerStatsResponse } from '#api';
import { formatBinaryBytes, formatBytes, shortId } from '#base';
import { Struct } from '../template/values.ts';
import type { ListLayout } from './list.ts';

/** Columns of `stats`. */
export const STATS_LAYOUT: ListLayout = {
  headers: {
    Container: 'CONTAINER',
    Name: 'NAME',
    ID: 'CONTAINER ID',
    CPUPerc: 'CPU %',
    MemUsage: 'MEM USAGE / LIMIT',
    MemPerc: 'MEM %',
    NetIO: 'NET I/O',
    BlockIO: 'BLOCK I/O',
    PIDs: 'PIDS',
  },
  table: '{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}',
  quiet: 'ID',
  failure: 'template parsing error',
};

/** The newest known figures of one container; undefined before the first answer. */
export interface StatsEntry {
  readonly container: string;
  readonly stats: ContainerStatsResponse | undefined;
}

const percent = (value: number): string => `${value.toFixed(2)}%`;

/** CPU use since the sample before, where 100 is one CPU. */
export function cpuPercent({ cpu_stats: now, precpu_stats: before }: ContainerStatsResponse): number {
  const used = (now?.cpu_usage?.total_usage ?? 0) - (before?.cpu_usage?.total_usage ?? 0);
  const system = (now?.system_cpu_usage ?? 0) - (before?.system_cpu_usage ?? 0);
  const cpus = now?.online_cpus || now?.cpu_usage?.percpu_usage?.length || 1;
  return system > 0 && used > 0 ? (used / system) * cpus * 100 : 0;
}

/** Memory without the page cache that can be dropped at once. */
export function memoryUsed({ memory_stats: memory }: ContainerStatsResponse): number {
  const usage = memory?.usage ?? 0;
  const cache = memory?.stats?.['total_inactive_file'] ?? memory?.stats?.['inactive_file'] ?? 0;
  return cache < usage ? usage - cache : usage;
}

function networkBytes({ networks }: ContainerStatsResponse): readonly [number, number] {
  const all = Object.values(networks ?? {});
  return [all.reduce((sum, net) => sum + net.rx_bytes, 0), all.reduce((sum, net) => sum + net.tx_bytes, 0)];
}

function blockBytes({ blkio_stats }: ContainerStatsResponse): readonly [number, number] {
  const entries = blkio_stats?.io_service_bytes_recursive ?? [];
  const sum = (letter: string) =>
    entries
      .filter(({ op }) => op.toLowerCase().startsWith(letter))
      .reduce((total, { value }) => total + value, 0);
  return [sum('r'), sum('w')];
}

const pair = (values: readonly [number, number]): string =>
  values.map((value) => formatBytes(value, 3)).join(' / ');

/** One container's figures as templates see them; `--` where there are none. */
export function statsRow({ container, stats }: StatsEntry, options: { readonly truncate: boolean }): Struct {
  const id = stats?.id ?? '';
  const limit = stats?.memory_stats?.limit ?? 0;
  const known = <T>(read: (value: ContainerStatsResponse) => T, none: string) => (stats ? read(stats) : none);
  return new Struct('*container.statsContext', {
    Container: () => container,
    Name: () => (stats?.name ? stats.name.replace(/^\//, '') : '--'),
    ID: () => (options.truncate ? shortId(id) : id),
    CPUPerc: () => known((value) => percent(cpuPercent(value)), '--'),
    MemUsage: () =>
      known((value) => `${formatBinaryBytes(memoryUsed(value))} / ${formatBinaryBytes(limit)}`, '-- / --'),
    MemPerc: () => known((value) => percent(limit > 0 ? (memoryUsed(value) / limit) * 100 : 0), '--'),
    NetIO: () => known((value) => pair(networkBytes(value)), '--'),
    BlockIO: () => known((value) => pair(blockBytes(value)), '--'),
    PIDs: () => known((value) => String(value.pids_stats?.current ?? 0), '--'),
  });
}
