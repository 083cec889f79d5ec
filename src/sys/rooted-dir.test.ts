import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errnoCode } from '#base';
import { createFdOps } from './fd-ops.ts';
import { openRoot, splitPath } from './rooted-dir.ts';
import type { RootedDir } from './types.ts';

const CREATE = constants.O_CREAT | constants.O_WRONLY;

let base: string;
let top: string;
let root: RootedDir;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'gantry-rooted-'));
  top = join(base, 'root');
  mkdirSync(top);
  writeFileSync(join(base, 'secret'), 'outside');
  root = openRoot(top);
});
afterEach(() => {
  root[Symbol.dispose]();
  rmSync(base, { recursive: true, force: true });
});

function write(path: string, text: string): void {
  const fd = root.open(path, CREATE, 0o644);
  createFdOps().write(fd, new TextEncoder().encode(text));
  closeSync(fd);
}

function read(path: string): string {
  const fd = root.open(path, constants.O_RDONLY);
  try {
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    return errnoCode(error);
  }
  return undefined;
}

const openDescriptors = () => readdirSync('/proc/self/fd').length;

test('splitPath: separates the last component and never leaves `..` as one', () => {
  expect(splitPath('a/b/c')).toEqual({ dir: 'a/b', base: 'c' });
  expect(splitPath('/a')).toEqual({ dir: '', base: 'a' });
  expect(splitPath('//a//b///')).toEqual({ dir: 'a/', base: 'b' });
  expect(splitPath('a/')).toEqual({ dir: '', base: 'a' });
  for (const path of ['', '/', '.', './']) expect(splitPath(path).base).toBe('.');
  expect(splitPath('a/..')).toEqual({ dir: 'a/..', base: '.' });
  expect(splitPath('..')).toEqual({ dir: '..', base: '.' });
});

describe('hostile paths', () => {
  test('open: a symlink to / and absolute symlinks stay inside', () => {
    root.symlink('/', 'slash');
    root.symlink(join(base, 'secret'), 'leak');
    write('slash/inside', 'x');
    expect(readFileSync(join(top, 'inside'), 'utf8')).toBe('x');
    expect(codeOf(() => root.open('leak', constants.O_RDONLY))).toBe('ENOENT');
    expect(root.statFollow('leak')).toBeUndefined();
    expect(root.statFollow('slash')?.ino).toBe(root.stat('/')?.ino);
  });

  test('`..` chains end at the root, as path, as last component and as symlink', () => {
    const own = root.stat('/')?.ino;
    root.symlink('../../../..', 'up');
    for (const path of ['..', '../..', '/../..', 'up/..', 'up/.']) {
      expect(root.stat(path)?.ino).toBe(own);
      expect(root.statFollow(path)?.ino).toBe(own);
    }
    write('../../escaped', 'x');
    root.mkdir('up/dir', 0o755);
    root.symlink('t', '../link');
    expect(readdirSync(top).sort()).toEqual(['dir', 'escaped', 'link', 'up']);
    expect(readdirSync(base).sort()).toEqual(['root', 'secret']);
    expect(codeOf(() => root.mkdir('dir/..', 0o755))).toBe('EEXIST');
    expect(codeOf(() => root.open('../secret', constants.O_RDONLY))).toBe('ENOENT');
  });

  test('remove and rename: refuse to act on the root or a `..`', () => {
    root.mkdir('a', 0o755);
    for (const path of ['', '/', '.', '..', 'a/..', 'a/.']) {
      expect(codeOf(() => root.remove(path))).toBe('EINVAL');
      expect(codeOf(() => root.rmdir(path))).toBe('EINVAL');
      expect(codeOf(() => root.rename(path, 'b'))).toBe('EBUSY');
    }
    expect(readdirSync(top)).toEqual(['a']);
    expect(existsSync(top)).toBe(true);
  });

  test('magic links are refused on the way and at the end', () => {
    using proc = openRoot('/proc');
    for (const path of ['self/root/etc', 'self/cwd', 'self/fd/0', 'thread-self/root']) {
      expect(codeOf(() => proc.open(path, constants.O_RDONLY))).toBe('ELOOP');
      expect(codeOf(() => proc.statFollow(path))).toBe('ELOOP');
    }
    expect(codeOf(() => proc.list('self/root'))).toBeString();
    expect(codeOf(() => proc.mkdir('self/root/tmp/x', 0o755))).toBe('ELOOP');
  });

  test('the last component is not followed: chmod, lutimes, list, remove, open with O_EXCL', () => {
    const before = statSync(join(base, 'secret'));
    root.symlink('../secret', 'link');
    symlinkSync(base, join(top, 'dirlink'));
    expect(codeOf(() => root.chmod('link', 0o777))).toBe('EOPNOTSUPP');
    root.lutimes('link', { atimeNs: 1n, mtimeNs: 2n });
    expect(root.stat('link')?.mtimeNs).toBe(2n);
    expect(codeOf(() => root.list('dirlink'))).toBe('ENOTDIR');
    expect(codeOf(() => root.open('link', CREATE | constants.O_EXCL, 0o644))).toBe('EEXIST');
    expect(codeOf(() => root.open('link', constants.O_RDONLY | constants.O_NOFOLLOW))).toBe('ELOOP');
    root.remove('dirlink');
    root.remove('link');
    expect(readdirSync(base).sort()).toEqual(['root', 'secret']);
    expect(statSync(join(base, 'secret')).mode).toBe(before.mode);
    expect(statSync(join(base, 'secret')).mtimeMs).toBe(before.mtimeMs);
  });

  test('a symlink loop, a NUL and too long a path are errors', () => {
    root.symlink('b', 'a');
    root.symlink('a', 'b');
    expect(codeOf(() => root.open('a/x', constants.O_RDONLY))).toBe('ELOOP');
    expect(codeOf(() => root.mkdir('a/x', 0o755))).toBe('ELOOP');
    expect(codeOf(() => root.mkdir('x\0y', 0o755))).toBe('EINVAL');
    expect(codeOf(() => root.symlink('t\0u', 'x'))).toBe('EINVAL');
    expect(codeOf(() => root.mkdir('x'.repeat(256), 0o755))).toBe('ENAMETOOLONG');
    expect(codeOf(() => root.mkdir(`${'x/'.repeat(3000)}y`, 0o755))).toBe('ENAMETOOLONG');
    expect(readdirSync(top).sort()).toEqual(['a', 'b']);
  });

  test('a name that is not UTF-8 can be listed, read and removed', () => {
    const name = 'caf\udce9';
    write(name, 'latin');
    expect(readdirSync(top, { encoding: 'buffer' })[0]).toEqual(Buffer.from([0x63, 0x61, 0x66, 0xe9]));
    expect(root.list('/')).toEqual([name]);
    expect(read(name)).toBe('latin');
    root.symlink(name, 'link');
    expect(root.readlink('link')).toBe(name);
    root.remove(name);
    expect(root.list('/')).toEqual(['link']);
  });

  test('after dispose nothing reaches a descriptor that somebody else got', () => {
    root.mkdir('d', 0o755);
    root[Symbol.dispose]();
    for (const action of [
      () => root.mkdir('x', 0o755),
      () => root.list('d'),
      () => root.open('d/f', CREATE),
    ]) {
      expect(codeOf(action)).toBe('EBADF');
    }
    root[Symbol.dispose]();
  });
});

describe('cached parents', () => {
  test('a directory removed and made anew is the new one', () => {
    for (const removal of ['remove', 'rmdir'] as const) {
      root.mkdir('d', 0o755);
      root.mkdir('d/e', 0o755);
      write('d/e/f', '1');
      root.unlink('d/e/f');
      root.rmdir('d/e');
      root[removal]('d');
      root.mkdir('d', 0o755);
      root.mkdir('d/e', 0o755);
      write('d/e/f', removal);
      expect(readFileSync(join(top, 'd/e/f'), 'utf8')).toBe(removal);
      root.remove('d');
    }
  });

  test('a renamed directory is found under its new name alone', () => {
    root.mkdir('old', 0o755);
    root.mkdir('old/sub', 0o755);
    write('old/sub/f', 'x');
    root.rename('old', 'new');
    expect(root.stat('old/sub/f')).toBeUndefined();
    expect(codeOf(() => root.mkdir('old/sub/g', 0o755))).toBe('ENOENT');
    expect(read('new/sub/f')).toBe('x');
    root.mkdir('old', 0o755);
    root.rename('old', 'new2');
    expect(root.list('/').sort()).toEqual(['new', 'new2']);
  });

  test('a directory replaced by a symlink is followed, and a symlink replaced by another', () => {
    root.mkdir('a', 0o755);
    root.mkdir('b', 0o755);
    root.mkdir('x', 0o755);
    write('x/f', 'dir');
    root.remove('x');
    root.symlink('a', 'x');
    write('x/f', 'in a');
    root.unlink('x');
    root.symlink('b', 'x');
    write('x/f', 'in b');
    root.symlink('a', 'y');
    root.rename('y', 'x');
    root.mkdir('x/sub', 0o755);
    expect([read('a/f'), read('b/f'), root.list('a').sort()]).toEqual(['in a', 'in b', ['f', 'sub']]);
  });

  test('a removal through a symlinked parent is noticed under the real name and back', () => {
    root.mkdir('real', 0o755);
    root.symlink('real', 'link');
    root.mkdir('real/d', 0o755);
    write('real/d/f', '1');
    write('link/d/g', '1');
    root.remove('link/d');
    expect(codeOf(() => root.mkdir('real/d/x', 0o755))).toBe('ENOENT');
    root.mkdir('real/d', 0o755);
    write('link/d/g', '2');
    root.remove('real/d');
    root.mkdir('link/d', 0o755);
    write('link/d/h', '3');
    expect(root.list('real/d')).toEqual(['h']);
  });

  test('more directories than fit are served with a bounded number of descriptors', () => {
    const before = openDescriptors();
    for (let index = 0; index < 400; index++) {
      root.mkdir(`d${index}`, 0o755);
      root.mkdir(`d${index}/s`, 0o755);
    }
    expect(openDescriptors() - before).toBeLessThanOrEqual(130);
    // Both parents of one call must stay open, however full the cache is.
    write('d399/s/f', 'x');
    for (let index = 0; index < 399; index++) root.link('d399/s/f', `d${index}/s/f`);
    expect(root.stat('d7/s/f')?.nlink).toBe(400);
    root[Symbol.dispose]();
    expect(openDescriptors()).toBeLessThan(before);
  });
});

test('remove: takes deep and wide trees, with few descriptors', () => {
  const segment = 'd'.repeat(10);
  let path = 'deep';
  root.mkdir(path, 0o755);
  for (let depth = 0; depth < 330; depth++) {
    path += `/${segment}`;
    root.mkdir(path, 0o755);
    if (depth % 50 === 0) write(`${path}/file`, 'x');
  }
  const before = openDescriptors();
  root.remove('deep');
  expect(openDescriptors()).toBeLessThanOrEqual(before);
  expect(root.list('/')).toEqual([]);
  root.remove('deep');
  root.remove('no/such/parent');
});

test('stat: reports type, size and times; undefined where nothing is', () => {
  write('f', '12345');
  root.lutimes('f', { atimeNs: 0n, mtimeNs: 1_700_000_000_123_456_789n });
  root.chmod('f', 0o4751);
  const stat = root.stat('f');
  const expected = statSync(join(top, 'f'), { bigint: true });
  expect(stat).toMatchObject({ size: 5n, mtimeNs: 1_700_000_000_123_456_789n, mode: 0o104751, nlink: 1 });
  expect(stat?.ino).toBe(expected.ino);
  expect(root.stat('f/below')).toBeUndefined();
  expect(root.stat('nope')).toBeUndefined();
  expect(root.statFollow('nope/nope')).toBeUndefined();
});

test('resolve: the path inside the root after all symlinks', () => {
  root.mkdir('real', 0o755);
  write('real/f', 'x');
  root.symlink('/real', 'a');
  root.symlink('a/f', 'b');
  expect(root.resolve('b')).toBe('/real/f');
  expect(root.resolve('../a/./f')).toBe('/real/f');
  expect(root.resolve('')).toBe('/');
  expect(codeOf(() => root.resolve('a/nope'))).toBe('ENOENT');
  using whole = openRoot('/');
  expect(whole.resolve(join(top, 'real'))).toBe(realpathSync(join(top, 'real')));
});

test('open: creates with mode, is close-on-exec and appends where asked', () => {
  const fd = root.open('f', CREATE | constants.O_EXCL, 0o600);
  const flags = /^flags:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '0';
  closeSync(fd);
  expect(Number.parseInt(flags, 8) & 0o2000000).toBe(0o2000000);
  expect(root.stat('f')?.mode).toBe(0o100600);
  expect(codeOf(() => root.open('f', CREATE | constants.O_EXCL, 0o600))).toBe('EEXIST');
  expect(codeOf(() => root.open('', CREATE, 0o600))).toBe('EISDIR');
  closeSync(root.open('', constants.O_RDONLY | constants.O_DIRECTORY));
});
