import { afterEach, beforeEach, expect, test } from 'bun:test';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '#base';
import type { Sys } from '#sys';
import { CgroupParents } from './cgroup-parents.ts';

let directory: string;
const warnings: string[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gantry-parents-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const at = (path: string) => join(directory, 'sys/fs/cgroup', path);
/** Directories as in a cgroup v2 tree; the files of a cgroup go with it, which plain ones do not. */
function make(path: string, { own = false } = {}): void {
  mkdirSync(at(path), { recursive: true });
  if (own) writeFileSync(join(at(path), 'cgroup.procs'), '');
}
function parents(): CgroupParents {
  const read = (_: string, path: string, file: string) => (existsSync(join(at(path), file)) ? '' : undefined);
  const cgroups = { mode: 'unified', controllers: new Map(), unified: at(''), read };
  const logger = { ...silentLogger, warn: (text: string) => void warnings.push(text) };
  return new CgroupParents(join(directory, 'file'), { sys: { cgroups } as unknown as Sys, logger });
}

test('what the runtimes made goes, also when a successor ends; what was there before stays', () => {
  make('/admins', { own: true });
  const first = parents();
  first.use('/admins');
  first.use('/slice');
  make('/slice');
  // Killed here.
  parents().remove();
  expect([existsSync(at('/admins')), existsSync(at('/slice'))]).toEqual([true, false]);
  make('/slice');
  parents().remove();
  expect(existsSync(at('/slice'))).toBe(true);
});

test('ancestors that came with a parent go with it, below the default one, too', () => {
  make('/here', { own: true });
  const all = parents();
  for (const path of ['/a/b/c', '/gantry/team', '/here/new']) {
    all.use(path);
    make(path);
  }
  all.remove();
  const left = ['/a', '/gantry', '/here/new', '/here'].filter((path) => existsSync(at(path)));
  expect(left).toEqual(['/here']);
});

test('the default parent is ours, whoever made it; one that is not empty stays', () => {
  make('/gantry');
  parents().remove();
  expect(existsSync(at('/gantry'))).toBe(false);
  make('/gantry/container');
  parents().remove();
  expect(existsSync(at('/gantry/container'))).toBe(true);
});

test.each(['', '["/slice', '{}', '[1]'])('a damaged list (%p) is told and set aside', (content) => {
  writeFileSync(join(directory, 'file'), content);
  warnings.length = 0;
  make('/slice');
  parents().remove();
  expect(warnings).toEqual(['the list of cgroups that we made is damaged']);
  expect(existsSync(at('/slice'))).toBe(true);
});
