import { readFileSync } from 'node:fs';
import type { OptionalLimit } from '#containers';
import type { EngineInfo } from '#server';
import type { CgroupMode } from '#sys';

type Limits = EngineInfo['limits'];
type Supported = ReadonlySet<OptionalLimit>;

/** Which limits this machine has, as `info` names them. `proc` is for tests. */
export function supportedLimits(supported: Supported, proc = '/proc'): Limits {
  return {
    memory: supported.has('memory'),
    swap: supported.has('swap'),
    cpuCfsPeriod: supported.has('quota'),
    cpuCfsQuota: supported.has('quota'),
    cpuShares: supported.has('shares'),
    cpuset: supported.has('cpuset'),
    pids: supported.has('pids'),
    ipv4Forwarding: readFileSync(`${proc}/sys/net/ipv4/ip_forward`, 'utf8').trim() === '1',
    oomKillDisable: supported.has('oomKillDisable'),
  };
}

const NO = (what: string): string => `WARNING: No ${what} support`;

/** By whether the version of cgroups is 2: what is missing there, in docker's words; undefined: not worth a warning. */
const MISSING: readonly (readonly [limit: OptionalLimit, v1: string | undefined, v2: string | undefined])[] =
  [
    ['memory', 'memory limit', 'memory limit'],
    ['swap', 'swap limit', 'swap limit'],
    ['oomKillDisable', 'oom kill disable', undefined],
    ['quota', 'cpu cfs quota', 'cpu cfs quota'],
    ['quota', 'cpu cfs period', 'cpu cfs period'],
    ['shares', 'cpu shares', 'cpu shares'],
    ['cpuset', 'cpuset', 'cpuset'],
    ['blockWeight', undefined, 'io.weight'],
    ['blockWeight', undefined, 'io.weight (per device)'],
    ['readBps', 'blkio throttle.read_bps_device', 'io.max (rbps)'],
    ['writeBps', 'blkio throttle.write_bps_device', 'io.max (wbps)'],
    ['readIOps', 'blkio throttle.read_iops_device', 'io.max (riops)'],
    ['writeIOps', 'blkio throttle.write_iops_device', 'io.max (wiops)'],
  ];

/** What `info` warns of. Source of order and texts: moby `daemon/info_unix.go`. */
export function limitWarnings(supported: Supported, { ipv4Forwarding }: Limits, mode: CgroupMode): string[] {
  const missing = MISSING.flatMap(([limit, v1, v2]) => {
    const what = mode === 'unified' ? v2 : v1;
    return what === undefined || supported.has(limit) ? [] : [NO(what)];
  });
  return [...missing, ...(ipv4Forwarding ? [] : ['WARNING: IPv4 forwarding is disabled'])];
}
