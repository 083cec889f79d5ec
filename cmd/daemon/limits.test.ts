import { expect, test } from 'bun:test';
import type { OptionalLimit } from '#containers';
import { limitWarnings, supportedLimits } from './limits.ts';

const v1: readonly OptionalLimit[] = [
  'memory',
  'quota',
  'shares',
  'cpuset',
  'readBps',
  'writeBps',
  'readIOps',
];
const limits = { ...supportedLimits(new Set(v1)), ipv4Forwarding: true };

test('supportedLimits: by what the kernel has', () => {
  expect(limits).toMatchObject({
    memory: true,
    swap: false,
    cpuCfsQuota: true,
    pids: false,
    oomKillDisable: false,
  });
});

test('limitWarnings: what is missing, in the words of the version of cgroups', () => {
  expect(limitWarnings(new Set(v1), limits, 'hybrid')).toEqual([
    'WARNING: No swap limit support',
    'WARNING: No oom kill disable support',
    'WARNING: No blkio throttle.write_iops_device support',
  ]);
  expect(limitWarnings(new Set(v1), { ...limits, ipv4Forwarding: false }, 'unified')).toEqual([
    'WARNING: No swap limit support',
    'WARNING: No io.weight support',
    'WARNING: No io.weight (per device) support',
    'WARNING: No io.max (wiops) support',
    'WARNING: IPv4 forwarding is disabled',
  ]);
});
