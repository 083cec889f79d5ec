import { invalidArgument } from '#base';
import type { Resources } from '../model.ts';
import type { ResourceHost } from './resource-host.ts';

const MIN_MEMORY = 6 * 1024 * 1024;
const NANO = 1e9;

/**
 * Checks limits. @throws `invalid_argument` with docker's texts. Source: moby `daemon/daemon_unix.go`.
 * With `isUpdate` a swap limit may come without a memory limit.
 */
export function checkResources(
  resources: Resources,
  host: ResourceHost,
  options: { readonly isUpdate?: boolean } = {},
): void {
  checkMemory(resources, options.isUpdate ?? false);
  checkCpu(resources, host);
  checkRealtime(resources, host);
  checkCpuset('cpus', 'CPUs', resources.cpusetCpus, host.cpusetCpus);
  checkCpuset('mems', 'memory nodes', resources.cpusetMems, host.cpusetMems);
  const { blkioWeight } = resources;
  if (blkioWeight !== 0 && (blkioWeight < 10 || blkioWeight > 1000)) {
    throw invalidArgument('Range of blkio weight is from 10 to 1000');
  }
  checkUnsupported(resources);
}

function checkMemory(resources: Resources, isUpdate: boolean): void {
  const { memory, memorySwap, memoryReservation, memorySwappiness } = resources;
  if (memory !== 0 && memory < MIN_MEMORY) throw invalidArgument('Minimum memory limit allowed is 6MB');
  if (memory > 0 && memorySwap > 0 && memorySwap < memory) {
    throw invalidArgument('Minimum memoryswap limit should be larger than memory limit, see usage');
  }
  if (memory === 0 && memorySwap > 0 && !isUpdate) {
    throw invalidArgument('You should always set the Memory limit when using Memoryswap limit, see usage');
  }
  const swappiness = memorySwappiness ?? -1;
  if (swappiness !== -1 && (swappiness < 0 || swappiness > 100)) {
    throw invalidArgument(`Invalid value: ${swappiness}, valid memory swappiness range is 0-100`);
  }
  if (memoryReservation > 0 && memoryReservation < MIN_MEMORY) {
    throw invalidArgument('Minimum memory reservation allowed is 6MB');
  }
  if (memory > 0 && memoryReservation > memory) {
    throw invalidArgument('Minimum memory limit can not be less than memory reservation limit, see usage');
  }
}

function checkCpu(resources: Resources, { cpus, supported }: ResourceHost): void {
  const { nanoCpus, cpuPeriod, cpuQuota, cpuShares } = resources;
  if (nanoCpus > 0 && cpuPeriod > 0) {
    throw invalidArgument('Conflicting options: Nano CPUs and CPU Period cannot both be set');
  }
  if (nanoCpus > 0 && cpuQuota > 0) {
    throw invalidArgument('Conflicting options: Nano CPUs and CPU Quota cannot both be set');
  }
  if (nanoCpus > 0 && !supported.has('quota')) {
    throw invalidArgument(
      'NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted',
    );
  }
  if (nanoCpus < 0 || nanoCpus > cpus * NANO) {
    throw invalidArgument(
      `range of CPUs is from 0.01 to ${cpus}.00, as there are only ${cpus} CPUs available`,
    );
  }
  if (cpuShares < 0) {
    throw invalidArgument(`invalid CPU shares (${cpuShares}): value must be a positive integer`);
  }
  if (cpuPeriod !== 0 && (cpuPeriod < 1000 || cpuPeriod > 1_000_000)) {
    throw invalidArgument(
      'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)',
    );
  }
  if (cpuQuota > 0 && cpuQuota < 1000) {
    throw invalidArgument('CPU cfs quota can not be less than 1ms (i.e. 1000)');
  }
}

function checkRealtime(resources: Resources, { supported }: ResourceHost): void {
  const { cpuRealtimePeriod: period, cpuRealtimeRuntime: runtime } = resources;
  if (period === 0 && runtime === 0) return;
  if (!supported.has('realtime')) {
    throw invalidArgument('kernel does not support CPU real-time scheduler');
  }
  if (period !== 0 && runtime > period) {
    throw invalidArgument('cpu real-time runtime cannot be higher than cpu real-time period');
  }
}

function checkCpuset(name: string, noun: string, requested: string, available: string): void {
  if (requested === '') return;
  const wanted = parseCpuList(requested);
  if ('reason' in wanted) {
    throw invalidArgument(`Invalid value ${requested} for cpuset ${name}: ${wanted.reason}`);
  }
  const there = parseCpuList(available);
  const isThere = (number: number) => 'numbers' in there && there.numbers.has(number);
  if (![...wanted.numbers].every(isThere)) {
    throw invalidArgument(
      `Requested ${noun} are not available - requested ${requested}, available: ${available}`,
    );
  }
}

const MAX_CPU = 8192;

/** `0-2,5` to numbers (cpuset(7), list format), or docker's reason why not. */
export function parseCpuList(text: string): { numbers: Set<number> } | { reason: string } {
  const numbers = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    if (!match || last < first) return { reason: `invalid format: ${text}` };
    if (last > MAX_CPU) return { reason: `value of out range, maximum is ${MAX_CPU}` };
    for (let number = first; number <= last; number += 1) numbers.add(number);
  }
  return { numbers };
}

function checkUnsupported(resources: Resources): void {
  if (resources.ioMaximumBandwidth !== 0) {
    throw invalidArgument('invalid option: QoS maximum bandwidth configuration is not supported on linux');
  }
  if (resources.ioMaximumIOps !== 0) {
    throw invalidArgument('invalid option: QoS maximum IOPs configuration is not supported on linux');
  }
}
