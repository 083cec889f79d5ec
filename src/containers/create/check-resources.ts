import { availableParallelism } from 'node:os';
import { invalidArgument } from '#base';
import type { Resources } from '../model.ts';

const MIN_MEMORY = 6 * 1024 * 1024;
const NANO = 1e9;

/** What the kernel offers to check against. */
export interface ResourceHost {
  readonly cpus: number;
  /** List notation, such as `0-1`. */
  readonly cpusetCpus: string;
  readonly cpusetMems: string;
}

export const defaultResourceHost = (): ResourceHost => {
  const cpus = availableParallelism();
  return { cpus, cpusetCpus: `0-${cpus - 1}`, cpusetMems: '0' };
};

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

function checkCpu(resources: Resources, { cpus }: ResourceHost): void {
  const { nanoCpus, cpuPeriod, cpuQuota, cpuShares } = resources;
  if (nanoCpus > 0 && cpuPeriod > 0) {
    throw invalidArgument('Conflicting options: Nano CPUs and CPU Period cannot both be set');
  }
  if (nanoCpus > 0 && cpuQuota > 0) {
    throw invalidArgument('Conflicting options: Nano CPUs and CPU Quota cannot both be set');
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

function checkCpuset(name: string, noun: string, requested: string, available: string): void {
  if (requested === '') return;
  const wanted = parseCpuList(requested);
  if (!wanted) throw invalidArgument(`Invalid value ${requested} for cpuset ${name}`);
  const there = parseCpuList(available) ?? new Set();
  if ([...wanted].some((number) => !there.has(number))) {
    throw invalidArgument(
      `Requested ${noun} are not available - requested ${requested}, available: ${available}`,
    );
  }
}

const MAX_CPU = 8192;

/** `0-2,5` to numbers (cpuset(7), list format); undefined when malformed. */
export function parseCpuList(text: string): Set<number> | undefined {
  const numbers = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part.trim());
    if (!match) return undefined;
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (last < first || last > MAX_CPU) return undefined;
    for (let number = first; number <= last; number += 1) numbers.add(number);
  }
  return numbers;
}

function checkUnsupported(resources: Resources): void {
  if (resources.ioMaximumBandwidth !== 0) {
    throw invalidArgument('invalid option: QoS maximum bandwidth configuration is not supported on linux');
  }
  if (resources.ioMaximumIOps !== 0) {
    throw invalidArgument('invalid option: QoS maximum IOPs configuration is not supported on linux');
  }
}
