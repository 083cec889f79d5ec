import { expect, test } from 'bun:test';
import { SysError } from '#sys';
import { createFakeSys } from '#sys/testing';
import type { SandboxPlan } from '../kernel.ts';
import { buildSandbox } from './sandbox-builder.ts';

const plan = {
  netnsPath: '/run/x/netns/1',
  disableIpv6: false,
  sysctls: {},
  interfaces: [{ hostName: 'vethx', name: 'eth0', mac: '02:42:ac:11:00:02', bridge: 'br9', mtu: 1500 }],
} as unknown as SandboxPlan;

test('`buildSandbox`: a bridge without a free port is named, and nothing is left', () => {
  const sys = createFakeSys();
  const host = sys.openNetlink();
  host.createBridge('br9');
  sys.failNext('netlink.createVeth', new SysError('EXFULL', 'netlink'));
  expect(() => buildSandbox(sys, host, plan)).toThrow('bridge br9 is full: Linux connects at most 1023');
  expect([...sys.networks]).toEqual([]);
});
