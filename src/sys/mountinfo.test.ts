import { expect, test } from 'bun:test';
import { parseMountInfo } from './mountinfo.ts';

test('parseMountInfo: decodes octal escapes and optional fields', () => {
  const text =
    '36 35 98:0 /mnt1 /mnt\\0402\\134x rw,noatime master:1 shared:7 - ext3 /dev/a\\011b rw,errors=continue\n' +
    '37 35 0:39 / /merged rw - overlay overlay rw,lowerdir+=/a\\040b\n';
  const [first, second] = parseMountInfo(text);
  expect(first).toEqual({
    id: 36,
    parentId: 35,
    device: '98:0',
    root: '/mnt1',
    target: '/mnt 2\\x',
    options: ['rw', 'noatime'],
    propagation: ['master:1', 'shared:7'],
    fstype: 'ext3',
    source: '/dev/a\tb',
    superOptions: ['rw', 'errors=continue'],
  });
  expect(second).toMatchObject({ propagation: [], superOptions: ['rw', 'lowerdir+=/a b'] });
});

test('parseMountInfo: leaves out lines of another form', () => {
  expect(parseMountInfo('\nnonsense\n1 2 - ext4\n')).toEqual([]);
});
