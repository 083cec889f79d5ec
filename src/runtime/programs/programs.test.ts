import { expect, test } from 'bun:test';
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '#base';
import { createFakeSys } from '#sys/testing';
import { Launcher } from './launcher.ts';
import { SealedProgram } from './sealed-program.ts';
import { standInLibrary } from './stand-in-library.ts';

function temporary() {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-programs-'));
  return { directory, [Symbol.dispose]: () => rmSync(directory, { recursive: true }) };
}

const output = (command: string[], env: Record<string, string> = {}) => {
  const { stdout, stderr, exitCode } = Bun.spawnSync(command, { env });
  return { stdout: stdout.toString(), stderr: stderr.toString(), exitCode };
};

test('`standInLibrary`: the loader takes it, and its functions answer -ENOSYS', () => {
  using place = temporary();
  const path = join(place.directory, 'lib.so');
  // The versions under which the C library has it on x86_64 and arm64: a preloaded library is asked first.
  const functions = { 'GLIBC_2.2.5': ['getppid'], 'GLIBC_2.17': ['getppid'] };
  writeFileSync(path, standInLibrary('libstand.so.0', functions) ?? '');
  const script = 'echo $PPID';
  expect(output(['/bin/sh', '-c', script], { LD_PRELOAD: path, LD_BIND_NOW: '1' })).toMatchObject({
    stderr: '',
    exitCode: 0,
    stdout: '-38\n',
  });
});

test('`standInLibrary`: nothing for an architecture without code', () => {
  expect(standInLibrary('x.so', {}, 'mips')).toBeUndefined();
  expect(standInLibrary('x.so', { V: ['f'] }, 'arm64')?.[18]).toBe(183);
});

test('`SealedProgram`: runs like the program; a replaced program is copied anew', () => {
  using place = temporary();
  const path = join(place.directory, 'program');
  copyFileSync('/bin/echo', path);
  const sealed = new SealedProgram(path, createFakeSys());
  const first = sealed.path();
  expect(output([first, 'hello']).stdout).toBe('hello\n');
  expect(sealed.path()).toBe(first);
  expect(() => writeFileSync(first, 'changed')).toThrow();
  rmSync(path);
  copyFileSync('/bin/cat', path);
  const second = sealed.path();
  expect(second).not.toBe(first);
  expect(output([first, 'still here']).stdout).toBe('still here\n');
});

test('`launch`: runtimes of the configuration are started as they are', () => {
  using place = temporary();
  const own = join(place.directory, 'kata');
  writeFileSync(own, '');
  const launcher = new Launcher(createFakeSys(), createLogger({ level: () => 'error', format: 'text' }), []);
  expect(launcher.launch({ path: own, args: [] })).toEqual({ program: own, env: {} });
  const crun = join(place.directory, 'crun');
  writeFileSync(crun, '#!/bin/sh\n');
  chmodSync(crun, 0o755);
  expect(launcher.launch({ path: crun, args: ['--systemd-cgroup'] })).toEqual({ program: crun, env: {} });
  const known = launcher.launch({ path: crun, args: [] });
  expect(known.program).toStartWith('/proc/');
  expect(known.env['LD_PRELOAD']).toStartWith('/proc/');
});

test('`launch`: a program that complains of the stand-ins keeps its libraries', () => {
  using place = temporary();
  const picky = join(place.directory, 'picky');
  writeFileSync(picky, '#!/bin/sh\necho missing symbol >&2\n');
  chmodSync(picky, 0o755);
  const crun = join(place.directory, 'crun');
  writeFileSync(crun, '');
  const launcher = new Launcher(createFakeSys(), createLogger({ level: () => 'error', format: 'text' }), [
    picky,
  ]);
  expect(launcher.launch({ path: crun, args: [] }).env).toEqual({});
});
