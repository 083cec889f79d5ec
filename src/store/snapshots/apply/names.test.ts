import { describe, expect, test } from 'bun:test';
import { classifyName, cleanPath } from './names.ts';

describe('cleanPath', () => {
  test.each([
    ['a/b', 'a/b'],
    ['./a//b/.', 'a/b'],
    ['/a/', 'a'],
    ['.', ''],
    ['./', ''],
    ['', ''],
    ['a/../b', 'b'],
    ['a/b/..', 'a'],
    ['/../a', 'a'],
    ['..a/b..', '..a/b..'],
    ['...', '...'],
  ])('%p is %p', (name, expected) => expect(cleanPath(name)).toBe(expected));

  test.each(['..', '../a', 'a/../../b', './..', 'a\0b'])('%p is refused', (name) => {
    expect(() => cleanPath(name)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });
});

describe('classifyName', () => {
  test.each([
    ['etc/passwd', { kind: 'member', path: 'etc/passwd' }],
    ['./', { kind: 'member', path: '' }],
    ['.wh.a', { kind: 'whiteout', path: 'a' }],
    ['d/.wh.a', { kind: 'whiteout', path: 'd/a' }],
    ['d/.wh...a', { kind: 'whiteout', path: 'd/..a' }],
    ['d/.wh..wh..opq', { kind: 'opaque', path: 'd' }],
    ['.wh..wh..opq', { kind: 'opaque', path: '' }],
    ['.wh..wh.plnk/1.2', { kind: 'ignored' }],
    ['.wh..wh.plnk/.wh..wh..opq', { kind: 'ignored' }],
    ['d/.wh..wh.aufs', { kind: 'ignored' }],
    ['.wh.dir/file', { kind: 'member', path: '.wh.dir/file' }],
    ['a.wh.b', { kind: 'member', path: 'a.wh.b' }],
  ] as const)('%p', (name, expected) => expect(classifyName(name)).toEqual(expected));

  test.each(['.wh.', 'd/.wh..', 'd/.wh...'])('%p is refused', (name) => {
    expect(() => classifyName(name)).toThrow('whiteout of nothing');
  });
});
