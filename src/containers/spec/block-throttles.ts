import type { Cgroups } from '#sys';
import type { Resources, ThrottleRate } from '../model.ts';
import { blockDevice } from './resources.ts';

type Kind = 'blkioDeviceReadBps' | 'blkioDeviceWriteBps' | 'blkioDeviceReadIOps' | 'blkioDeviceWriteIOps';

/** Where each limit is: v1's file, v2's key in `io.max`. Source: kernel documentation, blkio-controller and cgroup-v2. */
const PLACES: Readonly<Record<Kind, { readonly file: string; readonly key: string }>> = {
  blkioDeviceReadBps: { file: 'blkio.throttle.read_bps_device', key: 'rbps' },
  blkioDeviceWriteBps: { file: 'blkio.throttle.write_bps_device', key: 'wbps' },
  blkioDeviceReadIOps: { file: 'blkio.throttle.read_iops_device', key: 'riops' },
  blkioDeviceWriteIOps: { file: 'blkio.throttle.write_iops_device', key: 'wiops' },
};
const KINDS = Object.keys(PLACES) as Kind[];

/**
 * Writes the limits of block I/O of a container that runs: the runtimes set them at create, but do not change them. Zero
 * takes one away. @throws what the kernel says to a device that it does not take.
 */
export function writeBlockThrottles(
  cgroups: Pick<Cgroups, 'mode' | 'write'>,
  path: string,
  resources: Pick<Resources, Kind>,
): void {
  const isV2 = cgroups.mode === 'unified';
  for (const kind of KINDS) {
    for (const rate of resources[kind]) {
      if (isV2) cgroups.write('io', path, 'io.max', v2Line(rate, PLACES[kind].key));
      else cgroups.write('blkio', path, PLACES[kind].file, `${deviceNumber(rate)} ${rate.rate}`);
    }
  }
}

const v2Line = (rate: ThrottleRate, key: string): string =>
  `${deviceNumber(rate)} ${key}=${rate.rate === 0 ? 'max' : rate.rate}`;

function deviceNumber({ path }: ThrottleRate): string {
  const { major, minor } = blockDevice(path);
  return `${major}:${minor}`;
}
