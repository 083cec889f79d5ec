import { expect, test } from 'bun:test';
import type { MountInfo } from '#sys';
import { allowedPropagation, bindPropagation } from './propagation.ts';
import { accessOption } from './read-only.ts';

const ROOT = '/var/lib/x';

test.each([
  ['/srv', '', { propagation: 'rprivate' }],
  ['/srv', 'shared', { propagation: 'shared' }],
  ['/var/lib/xy', 'private', { propagation: 'private' }],
  ['/', '', { propagation: 'rslave', impliedPropagation: true }],
  ['/var', 'rslave', { propagation: 'rslave' }],
  [ROOT, '', { propagation: 'rslave', impliedPropagation: true }],
  ['/var/lib/x/containers', 'rshared', { propagation: 'rshared' }],
])('bindPropagation: %s with "%s"', (source, given, expected) => {
  expect(bindPropagation(source, given, ROOT)).toEqual(expected);
});

test.each(['private', 'rprivate', 'slave', 'shared'])(
  'bindPropagation: refuses the data root as %s',
  (given) => {
    expect(() => bindPropagation('/var', given, ROOT)).toThrow(
      `must use either propagation mode "rslave" or "rshared" when mount source is within the daemon root, daemon root: "/var/lib/x", bind mount source: "/var", propagation: "${given}"`,
    );
  },
);

const mount = (target: string, ...propagation: string[]): MountInfo => ({
  ...{ id: 1, parentId: 0, device: '0:1', root: '/', target, options: [], propagation },
  ...{ fstype: 'tmpfs', source: 'x', superOptions: [] },
});
const allowed = (propagation: string, mounts: MountInfo[], impliedPropagation = false) =>
  allowedPropagation({ propagation, impliedPropagation }, '/proc/sys', () => mounts);

test('allowedPropagation: the innermost mount of the host decides, of several the last', () => {
  const [shared, slave] = [mount('/proc', 'shared:1'), mount('/proc', 'master:1')];
  expect(allowed('rshared', [mount('/'), slave, shared])).toBe('rshared');
  expect(allowed('rslave', [slave])).toBe('rslave');
  expect(allowed('slave', [mount('/', 'shared:7')])).toBe('slave');
  expect(allowed('', [])).toBe('rprivate');
  expect(() => allowed('shared', [mount('/', 'shared:1'), shared, slave])).toThrow(
    'path /proc/sys is mounted on /proc but it is not a shared mount',
  );
  expect(() => allowed('rslave', [mount('/')])).toThrow(
    'path /proc/sys is mounted on / but it is not a shared or slave mount',
  );
  expect(allowed('rslave', [mount('/')], true)).toBe('rprivate');
});

test('accessOption: read-only with all below where it can be', () => {
  const ro = { rw: false };
  expect(accessOption({ rw: true }, undefined)).toBe('rw');
  expect(accessOption(ro, undefined)).toBe('rro');
  expect(accessOption(ro, 'too old')).toBe('ro');
  expect(accessOption({ ...ro, readOnlyNonRecursive: true }, undefined)).toBe('ro');
  expect(accessOption({ ...ro, readOnlyForceRecursive: true }, undefined)).toBe('rro');
  expect(() => accessOption({ ...ro, readOnlyForceRecursive: true }, 'too old')).toThrow('too old');
});

test.each([
  [{ rw: true, readOnlyNonRecursive: true }, '!ReadOnly && BindOptions.ReadOnlyNonRecursive'],
  [{ rw: true, readOnlyForceRecursive: true }, '!ReadOnly && BindOptions.ReadOnlyForceRecursive'],
  [
    { rw: false, readOnlyNonRecursive: true, readOnlyForceRecursive: true },
    'ReadOnlyNonRecursive && BindOptions.ReadOnlyForceRecursive',
  ],
])('accessOption: refuses %j', (wish, text) => {
  expect(() => accessOption(wish, undefined)).toThrow(`mount options conflict: ${text}`);
});
