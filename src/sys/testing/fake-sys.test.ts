import { expect, test } from 'bun:test';
import { SysError } from '../errors.ts';
import { createFakeSys } from './fake-sys.ts';
import { describeSysContract } from './suite.ts';

describeSysContract({ name: 'fake, unified', create: () => createFakeSys(), cgroup: 'contract' });
describeSysContract({
  name: 'fake, hybrid',
  create: () => createFakeSys({ cgroupMode: 'hybrid' }),
  cgroup: 'contract',
});

test('createFakeSys: records calls in order, with the namespace of netlink calls', () => {
  const sys = createFakeSys();
  sys.namespaces.createNetwork('/run/ns/a');
  sys.openNetlink('/run/ns/a').createBridge('br0');
  sys.openNetlink().createBridge('br1', { mtu: 1400 });
  expect(sys.calls).toEqual([
    { name: 'namespaces.createNetwork', args: ['/run/ns/a'] },
    { name: 'netlink.createBridge', args: ['br0'], netns: '/run/ns/a' },
    { name: 'netlink.createBridge', args: ['br1', { mtu: 1400 }] },
  ]);
  expect([...sys.networks]).toEqual(['/run/ns/a']);
});

test('failNext: the next call of the name fails once and does nothing', () => {
  const sys = createFakeSys();
  const busy = new SysError('EBUSY', 'umount2');
  sys.mounts.bind('/a', '/b');
  sys.failNext('mounts.unmount', busy);
  expect(() => sys.mounts.unmount('/b')).toThrow(busy);
  expect(sys.mounts.list()).toHaveLength(1);
  sys.mounts.unmount('/b');
  expect(sys.mounts.list()).toHaveLength(0);
});

test('nftables: logs what was run per namespace and answers prepared listings', () => {
  const sys = createFakeSys();
  sys.namespaces.createNetwork('/run/ns/a');
  sys.namespaces.withNetwork('/run/ns/a', () => sys.openNftables()).run('add table inet x');
  expect(sys.nftCommands).toEqual([{ netns: '/run/ns/a', commands: 'add table inet x' }]);
  sys.nftListings.set('list tables', [{ table: { name: 'x' } }]);
  expect(sys.openNftables().query('list tables')).toEqual([{ table: { name: 'x' } }]);
  expect(sys.openNftables().query('list chains')).toEqual([]);
});

test('processTable: SIGKILL ends a fake process', () => {
  const sys = createFakeSys();
  sys.processTable.alive.add(4242);
  const pidfd = sys.processes.pidfdOpen(4242);
  expect(sys.processes.pidfdSignal(pidfd, 15)).toBe(true);
  expect(sys.processes.hasExited(pidfd)).toBe(false);
  expect(sys.processes.pidfdSignal(pidfd, 9)).toBe(true);
  expect(sys.processes.hasExited(pidfd)).toBe(true);
});
