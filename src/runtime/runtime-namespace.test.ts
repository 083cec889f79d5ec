import { describe, expect, test } from 'bun:test';
import type { MountInfo } from '#sys';
import { isBoundOnItself, isInUse } from './runtime-namespace.ts';

const mount = (target: string, device: string, root: string): MountInfo => ({
  id: 1,
  parentId: 0,
  device,
  root,
  target,
  options: [],
  propagation: [],
  fstype: 'ext4',
  source: 'x',
  superOptions: [],
});

const ROOT = mount('/', '254:0', '/');
const VAR = mount('/var', '254:1', '/');

describe('isBoundOnItself', () => {
  const directory = '/var/lib/gantry';
  test.each([
    ['a bind of the directory on itself', [ROOT, VAR, mount(directory, '254:1', '/lib/gantry')], true],
    [
      'the same where the whole tree is a bind',
      [mount('/', '254:0', '/srv'), mount(directory, '254:0', '/srv/var/lib/gantry')],
      true,
    ],
    ['nothing mounted there', [ROOT, VAR], false],
    ['a disk for the data root', [ROOT, VAR, mount(directory, '254:2', '/')], false],
    ['a directory of another disk', [ROOT, VAR, mount(directory, '254:2', '/lib/gantry')], false],
    ['another directory of the same disk', [ROOT, VAR, mount(directory, '254:1', '/other')], false],
    [
      'a disk on top of a bind',
      [ROOT, VAR, mount(directory, '254:1', '/lib/gantry'), mount(directory, '254:2', '/')],
      false,
    ],
  ] as const)('%s', (_what, mounts, expected) => {
    expect(isBoundOnItself(mounts, directory)).toBe(expected);
  });
});

describe('isInUse', () => {
  const directory = '/data';
  const bound = { ...mount(directory, '254:0', '/data'), id: 2, parentId: 1 };
  const disk = { ...mount('/data/disk', '254:9', '/'), id: 3, parentId: 1 };
  const inside = (id: number, target: string, parentId = 2) => ({
    ...mount(target, '0:9', '/'),
    id,
    parentId,
  });
  test.each([
    ['nothing below', [ROOT, bound], false],
    ['a mount of ours', [ROOT, bound, inside(4, '/data/merged')], true],
    ['what was there before', [ROOT, disk, bound, { ...disk, id: 4, parentId: 2 }], false],
    [
      'a mount in what was there before',
      [ROOT, disk, bound, { ...disk, id: 4, parentId: 2 }, inside(5, '/data/disk/x', 4)],
      true,
    ],
    ['another in its place', [ROOT, disk, bound, inside(4, '/data/disk')], true],
  ] as const)('%s', (_what, mounts, expected) => {
    expect(isInUse(mounts, directory)).toBe(expected);
  });
});
