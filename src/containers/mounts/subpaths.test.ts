import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { subpathSource } from './subpaths.ts';

let directory: string;
let source: string;
beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'gantry-subpaths-')));
  source = join(directory, 'volume');
  mkdirSync(join(source, 'sub/deep'), { recursive: true });
  mkdirSync(join(directory, 'volume-neighbour'));
  symlinkSync('sub', join(source, 'inside'));
  symlinkSync('../volume-neighbour', join(source, 'outside'));
  symlinkSync('/', join(source, 'root'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test.each([
  ['sub/deep', 'sub/deep'],
  ['inside/deep', 'sub/deep'],
  ['.', ''],
])('`subpathSource`: %s stays inside', (subpath, expected) => {
  expect(subpathSource({ source, subpath })).toBe(join(source, expected));
});

test.each(['outside', 'root', 'root/etc', '..'])('`subpathSource`: %s leads out', (subpath) => {
  expect(() => subpathSource({ source, subpath })).toThrow(
    `path concatenation escapes the base directory, base: ${source}, subpath: ${subpath}`,
  );
});

test('`subpathSource`: nothing there', () => {
  expect(() => subpathSource({ source, subpath: 'none' })).toThrow(
    `cannot access path ${source}/none: lstat ${source}/none: no such file or directory`,
  );
});
