import { describe, expect, test } from 'bun:test';
import type { MountInfo } from '#sys';
import { isBoundOnItself } from './runtime-namespace.ts';

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
