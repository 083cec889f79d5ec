import { statSync } from 'node:fs';
import { errnoCode, invalidArgument } from '#base';
import type { SpecResources, ThrottleDevice } from '#oci';
import { describeDevice } from '#runtime';
import type { Resources, ThrottleRate } from '../model.ts';

const CPU_PERIOD_US = 100_000;
const NANO = 1e9;

/** Limits as the runtime takes them; what is not set is left out. Source: moby `daemon/daemon_unix.go`. */
export function specResources(
  resources: Resources,
  options: {
    /** The weights of block I/O are written by ourselves. */
    readonly withoutWeights?: boolean;
  } = {},
): SpecResources {
  const memory = memoryResources(resources);
  const cpu = cpuResources(resources);
  const blockIO = blockResources(
    options.withoutWeights ? { ...resources, blkioWeight: 0, blkioWeightDevice: [] } : resources,
  );
  const { pidsLimit } = resources;
  return {
    ...(Object.keys(memory).length > 0 ? { memory } : {}),
    ...(Object.keys(cpu).length > 0 ? { cpu } : {}),
    ...(Object.keys(blockIO).length > 0 ? { blockIO } : {}),
    // Zero and negative values take a limit away; the runtimes spell that -1.
    ...(pidsLimit === undefined ? {} : { pids: { limit: pidsLimit > 0 ? pidsLimit : -1 } }),
  };
}

/** Drops the members of an object that are undefined. */
type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };
const present = <T extends object>(fields: T): Present<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<T>;

const whenSet = (value: number): number | undefined => (value === 0 ? undefined : value);

function memoryResources(resources: Resources): NonNullable<SpecResources['memory']> {
  const { memorySwappiness: swappiness } = resources;
  return present({
    limit: whenSet(resources.memory),
    reservation: whenSet(resources.memoryReservation),
    swap: whenSet(resources.memorySwap),
    swappiness: swappiness === -1 ? undefined : swappiness,
    disableOOMKiller: resources.oomKillDisable === true ? true : undefined,
  });
}

function cpuResources(resources: Resources): NonNullable<SpecResources['cpu']> {
  const nano = resources.nanoCpus;
  return present({
    shares: whenSet(resources.cpuShares),
    period: nano > 0 ? CPU_PERIOD_US : whenSet(resources.cpuPeriod),
    quota: nano > 0 ? Math.round((nano * CPU_PERIOD_US) / NANO) : whenSet(resources.cpuQuota),
    realtimePeriod: whenSet(resources.cpuRealtimePeriod),
    realtimeRuntime: whenSet(resources.cpuRealtimeRuntime),
    cpus: resources.cpusetCpus || undefined,
    mems: resources.cpusetMems || undefined,
  });
}

function blockResources(resources: Resources): NonNullable<SpecResources['blockIO']> {
  const throttle = (rates: readonly ThrottleRate[]) =>
    rates.length > 0 ? rates.map(throttleDevice) : undefined;
  const weights = resources.blkioWeightDevice.map(({ path, weight }) => ({ ...blockDevice(path), weight }));
  return present({
    weight: whenSet(resources.blkioWeight),
    weightDevice: weights.length > 0 ? weights : undefined,
    throttleReadBpsDevice: throttle(resources.blkioDeviceReadBps),
    throttleWriteBpsDevice: throttle(resources.blkioDeviceWriteBps),
    throttleReadIOPSDevice: throttle(resources.blkioDeviceReadIOps),
    throttleWriteIOPSDevice: throttle(resources.blkioDeviceWriteIOps),
  });
}

const throttleDevice = ({ path, rate }: ThrottleRate): ThrottleDevice => ({ ...blockDevice(path), rate });

/** @throws `invalid_argument` when the path is no device. */
export function blockDevice(path: string): { major: number; minor: number } {
  try {
    statSync(path);
  } catch (error) {
    const reason = errnoCode(error) === 'ENOENT' ? 'no such file or directory' : 'cannot be read';
    throw invalidArgument(`stat ${path}: ${reason}`, { cause: error });
  }
  const device = describeDevice(path);
  if (!device) throw invalidArgument(`${path} is not a device node`);
  return { major: device.major, minor: device.minor };
}
