import type { Unset, Resources as WireResources } from '#api';
import type { Resources, ThrottleRate, Ulimit } from '#containers';
import { orNull } from './zero.ts';

type Throttle = { readonly Path: string; readonly Rate: number };

const toThrottle = (list: readonly Throttle[] | null | undefined): ThrottleRate[] =>
  (list ?? []).map(({ Path, Rate }) => ({ path: Path ?? '', rate: Rate ?? 0 }));

const fromThrottle = (list: readonly ThrottleRate[]) =>
  list.map(({ path, rate }) => ({ Path: path, Rate: rate }));

/** Limits of a create or update body; what is not set is zero, empty or undefined. */
export function toResources(wire: Unset<WireResources>): Resources {
  return {
    ...toCpu(wire),
    ...toBlkio(wire),
    ...toDevices(wire),
    memory: wire.Memory ?? 0,
    cgroupParent: wire.CgroupParent ?? '',
    memoryReservation: wire.MemoryReservation ?? 0,
    memorySwap: wire.MemorySwap ?? 0,
    // -1 is the CLI's "not set".
    memorySwappiness: wire.MemorySwappiness === -1 ? undefined : (wire.MemorySwappiness ?? undefined),
    oomKillDisable: wire.OomKillDisable ?? undefined,
    pidsLimit: wire.PidsLimit ?? undefined,
    ulimits: (wire.Ulimits ?? []).map(
      ({ Name, Soft, Hard }): Ulimit => ({ name: Name ?? '', soft: Soft ?? 0, hard: Hard ?? 0 }),
    ),
    ioMaximumIOps: wire.IOMaximumIOps ?? 0,
    ioMaximumBandwidth: wire.IOMaximumBandwidth ?? 0,
  };
}

function toCpu(wire: Unset<WireResources>) {
  return {
    cpuShares: wire.CpuShares ?? 0,
    nanoCpus: wire.NanoCpus ?? 0,
    cpuPeriod: wire.CpuPeriod ?? 0,
    cpuQuota: wire.CpuQuota ?? 0,
    cpuRealtimePeriod: wire.CpuRealtimePeriod ?? 0,
    cpuRealtimeRuntime: wire.CpuRealtimeRuntime ?? 0,
    cpusetCpus: wire.CpusetCpus ?? '',
    cpusetMems: wire.CpusetMems ?? '',
    cpuCount: wire.CpuCount ?? 0,
    cpuPercent: wire.CpuPercent ?? 0,
  };
}

function toBlkio(wire: Unset<WireResources>) {
  return {
    blkioWeight: wire.BlkioWeight ?? 0,
    blkioWeightDevice: (wire.BlkioWeightDevice ?? []).map(({ Path, Weight }) => ({
      path: Path ?? '',
      weight: Weight ?? 0,
    })),
    blkioDeviceReadBps: toThrottle(wire.BlkioDeviceReadBps),
    blkioDeviceWriteBps: toThrottle(wire.BlkioDeviceWriteBps),
    blkioDeviceReadIOps: toThrottle(wire.BlkioDeviceReadIOps),
    blkioDeviceWriteIOps: toThrottle(wire.BlkioDeviceWriteIOps),
  };
}

function toDevices(wire: Unset<WireResources>) {
  return {
    devices: (wire.Devices ?? []).map((device) => ({
      pathOnHost: device.PathOnHost ?? '',
      pathInContainer: device.PathInContainer ?? '',
      cgroupPermissions: device.CgroupPermissions ?? '',
    })),
    deviceCgroupRules: wire.DeviceCgroupRules ?? [],
    deviceRequests: (wire.DeviceRequests ?? []).map((request) => ({
      driver: request.Driver ?? '',
      count: request.Count ?? 0,
      deviceIds: request.DeviceIDs ?? [],
      capabilities: request.Capabilities ?? [],
      options: request.Options ?? {},
    })),
  };
}

/** The limits a client named in an update; the others stay as they are. Zero means "not named", as in docker. */
export function toResourceChange(wire: Unset<WireResources>): Partial<Resources> {
  const full = toResources(wire);
  // Zero is a value of this one: no limit.
  const isGiven = ([name, value]: readonly [string, unknown]) =>
    name === 'pidsLimit' ? value !== undefined : isNamed(value);
  return Object.fromEntries(Object.entries(full).filter(isGiven));
}

function isNamed(value: unknown): boolean {
  if (value === undefined || value === 0 || value === '') return false;
  return !Array.isArray(value) || value.length > 0;
}

export function fromResources(limits: Resources): WireResources {
  return {
    CpuShares: limits.cpuShares,
    Memory: limits.memory,
    NanoCpus: limits.nanoCpus,
    CgroupParent: limits.cgroupParent,
    BlkioWeight: limits.blkioWeight,
    BlkioWeightDevice: limits.blkioWeightDevice.map(({ path, weight }) => ({ Path: path, Weight: weight })),
    BlkioDeviceReadBps: orNull(fromThrottle(limits.blkioDeviceReadBps)),
    BlkioDeviceWriteBps: orNull(fromThrottle(limits.blkioDeviceWriteBps)),
    BlkioDeviceReadIOps: orNull(fromThrottle(limits.blkioDeviceReadIOps)),
    BlkioDeviceWriteIOps: orNull(fromThrottle(limits.blkioDeviceWriteIOps)),
    CpuPeriod: limits.cpuPeriod,
    CpuQuota: limits.cpuQuota,
    CpuRealtimePeriod: limits.cpuRealtimePeriod,
    CpuRealtimeRuntime: limits.cpuRealtimeRuntime,
    CpusetCpus: limits.cpusetCpus,
    CpusetMems: limits.cpusetMems,
    ...fromDevices(limits),
    MemoryReservation: limits.memoryReservation,
    MemorySwap: limits.memorySwap,
    MemorySwappiness: limits.memorySwappiness ?? null,
    OomKillDisable: limits.oomKillDisable ?? null,
    PidsLimit: limits.pidsLimit ?? null,
    Ulimits: orNull(limits.ulimits.map(({ name, hard, soft }) => ({ Name: name, Hard: hard, Soft: soft }))),
    CpuCount: limits.cpuCount,
    CpuPercent: limits.cpuPercent,
    IOMaximumIOps: limits.ioMaximumIOps,
    IOMaximumBandwidth: limits.ioMaximumBandwidth,
  };
}

function fromDevices(limits: Resources) {
  return {
    Devices: limits.devices.map((device) => ({
      PathOnHost: device.pathOnHost,
      PathInContainer: device.pathInContainer,
      CgroupPermissions: device.cgroupPermissions,
    })),
    DeviceCgroupRules: orNull(limits.deviceCgroupRules),
    DeviceRequests: orNull(
      limits.deviceRequests.map((request) => ({
        Driver: request.driver,
        Count: request.count,
        DeviceIDs: orNull(request.deviceIds),
        Capabilities: orNull(request.capabilities),
        Options: request.options,
      })),
    ),
  };
}
