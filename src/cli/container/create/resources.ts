import type { Resources } from '#api';
import { cliError } from '../../core/errors.ts';
import { cdiRequests, isCdiDevice, parseDevice, toThrottle, toWeights } from './devices.ts';
import type { CreateFlags } from './flags.ts';
import { parseGpus } from './gpus.ts';
import { toUlimits } from './ulimits.ts';

/** The limits of a create request. @throws docker's texts. */
export function toResources(flags: CreateFlags): Resources {
  const swappiness = flags['memory-swappiness'];
  if (swappiness !== -1 && (swappiness < 0 || swappiness > 100)) {
    throw cliError(`invalid value: ${swappiness}. Valid memory swappiness range is 0-100`);
  }
  const requests = [...flags.gpus.map(parseGpus), ...cdiRequests(flags.device.filter(isCdiDevice))];
  const rules = flags['device-cgroup-rule'];
  return {
    CpuShares: flags['cpu-shares'],
    Memory: flags.memory,
    NanoCpus: flags.cpus,
    CgroupParent: flags['cgroup-parent'],
    BlkioWeight: flags['blkio-weight'],
    BlkioWeightDevice: toWeights(flags['blkio-weight-device']),
    BlkioDeviceReadBps: toThrottle(flags['device-read-bps']),
    BlkioDeviceWriteBps: toThrottle(flags['device-write-bps']),
    BlkioDeviceReadIOps: toThrottle(flags['device-read-iops']),
    BlkioDeviceWriteIOps: toThrottle(flags['device-write-iops']),
    CpuPeriod: flags['cpu-period'],
    CpuQuota: flags['cpu-quota'],
    CpuRealtimePeriod: flags['cpu-rt-period'],
    CpuRealtimeRuntime: flags['cpu-rt-runtime'],
    CpusetCpus: flags['cpuset-cpus'],
    CpusetMems: flags['cpuset-mems'],
    Devices: flags.device.filter((device) => !isCdiDevice(device)).map(parseDevice),
    DeviceCgroupRules: rules.length > 0 ? rules : null,
    DeviceRequests: requests.length > 0 ? requests : null,
    MemoryReservation: flags['memory-reservation'],
    MemorySwap: flags['memory-swap'],
    MemorySwappiness: swappiness,
    OomKillDisable: flags['oom-kill-disable'],
    PidsLimit: flags['pids-limit'],
    Ulimits: toUlimits(flags.ulimit),
    CpuCount: flags['cpu-count'],
    CpuPercent: flags['cpu-percent'],
    IOMaximumIOps: flags['io-maxiops'],
    IOMaximumBandwidth: flags['io-maxbandwidth'],
  };
}
