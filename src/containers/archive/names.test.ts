import { expect, test } from 'bun:test';
import { goFileMode } from './file-mode.ts';
import {
  absolutePath,
  assertsDirectory,
  isWithin,
  lastComponent,
  memberPath,
  withoutAssertion,
} from './names.ts';

test('absolutePath: cleans by name and keeps a trailing slash or dot', () => {
  const cases = {
    '': '/.',
    '/': '/',
    '.': '/.',
    'a/../b': '/b',
    '/../../x': '/x',
    '/a//b/': '/a/b/',
    '/a/b/.': '/a/b/.',
    '/a/./.': '/a/.',
    '/.': '/.',
  };
  for (const [path, expected] of Object.entries(cases))
    expect([path, absolutePath(path)]).toEqual([path, expected]);
});

test('lastComponent: as Go’s filepath.Base', () => {
  const cases = {
    '': '.',
    '/': '/',
    '///': '/',
    '/a/b': 'b',
    '/a/b//': 'b',
    a: 'a',
    '/a/.': '.',
    '/a/..': '..',
  };
  for (const [path, expected] of Object.entries(cases))
    expect([path, lastComponent(path)]).toEqual([path, expected]);
});

test('assertsDirectory and withoutAssertion belong together', () => {
  for (const path of ['/a/', '/a/.', '/a/./', '/a//.//']) {
    expect(assertsDirectory(path)).toBe(true);
    expect(withoutAssertion(path)).toBe('/a');
  }
  for (const path of ['/a', '/a/..', '/a/b.', '/.a']) {
    expect(assertsDirectory(path)).toBe(false);
    expect(withoutAssertion(path)).toBe(path);
  }
  expect(withoutAssertion('/.')).toBe('/');
});

test('memberPath: relative to the extraction point', () => {
  const cases = {
    './': '',
    '/': '',
    '.': '',
    'a/': 'a',
    './a/b': 'a/b',
    '/a': 'a',
    'a/../b': 'b',
    '...': '...',
  };
  for (const [name, expected] of Object.entries(cases))
    expect([name, memberPath(name)]).toEqual([name, expected]);
});

test('isWithin: whole components', () => {
  expect(isWithin('/a/b', '/a')).toBe(true);
  expect(isWithin('/ab', '/a')).toBe(false);
  expect(isWithin('/ab', '/')).toBe(true);
});

test('goFileMode: the bits of Go’s os.FileMode', () => {
  const cases: readonly (readonly [number, number])[] = [
    [0o100644, 0o644],
    [0o104755, 0x0080_0000 + 0o755],
    [0o102755, 0x0040_0000 + 0o755],
    [0o041777, 0x8000_0000 + 0x0010_0000 + 0o777],
    [0o120777, 0x0800_0000 + 0o777],
    [0o060660, 0x0400_0000 + 0o660],
    [0o020666, 0x0420_0000 + 0o666],
    [0o010600, 0x0200_0000 + 0o600],
    [0o140755, 0x0100_0000 + 0o755],
  ];
  for (const [linux, go] of cases) expect(goFileMode(linux)).toBe(go);
});
