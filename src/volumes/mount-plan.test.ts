import { expect, test } from 'bun:test';
import { MS_BIND, MS_NOEXEC, MS_NOSUID, MS_RDONLY, MS_REC, MS_REMOUNT, MS_SHARED } from '#sys';
import { parseMountFlags } from './mount-flags.ts';
import { planMount } from './mount-plan.ts';

const TARGET = '/volumes/x/_data';
const resolve = async (host: string) => {
  if (host === 'server') return '192.0.2.7';
  throw new Error(`lookup ${host}: no such host`);
};
const plan = (options: Record<string, string>) => planMount(options, TARGET, resolve);
const calls = async (options: Record<string, string>) =>
  (await plan(options)).steps.map(({ op, call, isFollower }) => [...[op, call.flags, call.data, isFollower]]);

test.each([
  ['', 0, ''],
  ['ro,size=1m,noexec', MS_RDONLY | MS_NOEXEC, 'size=1m'],
  ['ro,rw,nosuid', MS_NOSUID, ''],
  ['defaults,ro', MS_RDONLY, 'defaults'],
  ['a,,b', 0, 'a,,b'],
  ['RO,constructor,__proto__', 0, 'RO,constructor,__proto__'],
  ['rbind,rshared', MS_BIND | MS_REC | MS_SHARED, ''],
])('parseMountFlags: %j', (options, flags, data) => {
  expect(parseMountFlags(options)).toEqual({ flags, data });
});

test('a file system is mounted in one step', async () => {
  expect(await plan({ type: 'tmpfs', device: 'tmpfs', o: 'size=1m,ro' })).toEqual({
    steps: [
      {
        op: 'mount',
        call: { source: 'tmpfs', target: TARGET, fstype: 'tmpfs', flags: MS_RDONLY, data: 'size=1m' },
      },
    ],
    maySleep: false,
  });
  expect((await plan({ type: 'ext4', device: '/dev/x' })).maySleep).toBe(true);
});

test('a bind follows the host, and gets its restrictions afterwards, because the kernel ignores them before', async () => {
  expect(await calls({ type: 'none', device: '/x', o: 'rbind,ro,nosuid' })).toEqual([
    ['mount', MS_BIND | MS_REC | MS_RDONLY | MS_NOSUID, '', true],
    ['remount-ro', MS_BIND | MS_RDONLY | MS_NOSUID | MS_REMOUNT, undefined, undefined],
  ]);
});

test('a bind spreads as the user says', async () => {
  expect(await calls({ type: 'none', device: '/x', o: 'bind,shared' })).toEqual([
    ['mount', MS_BIND, '', undefined],
    ['remount', MS_SHARED, undefined, undefined],
  ]);
});

test.each([
  [{ type: 'nfs', device: ':/export', o: 'rw,addr=server,nolock' }, ':/export', 'addr=192.0.2.7,nolock'],
  [{ type: 'nfs', device: ':/export', o: 'addr=192.0.2.1' }, ':/export', 'addr=192.0.2.1'],
  [{ type: 'nfs', device: ':/export', o: 'addr=2001:db8::1' }, ':/export', 'addr=2001:db8::1'],
  [{ type: 'nfs', device: 'server:/export', o: 'vers=4' }, 'server:/export', 'vers=4'],
  [{ type: 'cifs', device: '//server/share', o: 'username=a' }, '//192.0.2.7/share', 'username=a'],
  [{ type: 'cifs', device: '//server/share', o: 'addr=server' }, '//server/share', 'addr=192.0.2.7'],
  [{ type: 'ext4', device: '/dev/x', o: 'addr=server' }, '/dev/x', 'addr=server'],
])('%j: the kernel gets addresses', async (options, source, data) => {
  const [step] = (await plan(options)).steps;
  expect(step?.call).toMatchObject({ source, data });
});

test('a host without an address is told', async () => {
  await expect(plan({ type: 'nfs', device: ':/x', o: 'addr=nowhere' })).rejects.toThrow(
    'lookup nowhere: no such host',
  );
});
