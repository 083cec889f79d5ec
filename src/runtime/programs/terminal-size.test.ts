import { CString, dlopen, ptr } from 'bun:ffi';
import { expect, test } from 'bun:test';
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFakeSys } from '#sys/testing';
import { presetTerminalSize, terminalSizeLibrary } from './terminal-size.ts';

const TIOCGWINSZ = 0x5413;
const size = { rows: 57, columns: 321 };

test.if(process.arch === 'x64')('terminalSizeLibrary: names a terminal and sets its size', () => {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-terminal-'));
  try {
    const path = join(directory, 'lib.so');
    writeFileSync(path, terminalSizeLibrary(size) ?? '');
    const own = dlopen(path, { ptsname_r: { args: ['i32', 'ptr', 'u64'], returns: 'i32' } });
    const libc = dlopen('libc.so.6', {
      ioctl: { args: ['i32', 'u64', 'ptr'], returns: 'i32' },
      ptsname_r: { args: ['i32', 'ptr', 'u64'], returns: 'i32' },
    });
    // Beyond ten of them a number has two digits.
    const masters = Array.from({ length: 12 }, () =>
      openSync('/dev/ptmx', constants.O_RDWR | constants.O_NOCTTY),
    );
    for (const master of masters) {
      const [name, expected, window] = [new Uint8Array(64).fill(1), new Uint8Array(64), new Uint16Array(4)];
      expect(own.symbols.ptsname_r(master, name, 64)).toBe(0);
      libc.symbols.ptsname_r(master, expected, 64);
      expect(new CString(ptr(name)).toString()).toBe(new CString(ptr(expected)).toString());
      libc.symbols.ioctl(master, TIOCGWINSZ, window);
      expect([...window]).toEqual([57, 321, 0, 0]);
      closeSync(master);
    }
    expect(own.symbols.ptsname_r(-1, new Uint8Array(64), 64)).toBe(9);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('presetTerminalSize: beside what is loaded already, for crun only', () => {
  const launch = { program: '/crun', env: { LD_PRELOAD: '/first' } };
  const preset = presetTerminalSize({ path: '/usr/bin/crun', args: [], launch }, size, createFakeSys());
  if (process.arch === 'x64') {
    expect(preset?.runtime.launch?.env['LD_PRELOAD']).toMatch(/^\/first:\/proc\/\d+\/fd\/\d+$/);
    preset?.[Symbol.dispose]();
  }
  expect(
    presetTerminalSize({ path: '/usr/bin/runc', args: [], launch }, size, createFakeSys()),
  ).toBeUndefined();
  expect(terminalSizeLibrary(size, 'arm64')).toBeUndefined();
});
