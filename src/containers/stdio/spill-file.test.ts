import { afterEach, beforeEach, expect, test } from 'bun:test';
import { fstatSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SpillFile } from './spill-file.ts';

const MIB = 1024 * 1024;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gantry-spill-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** What the only unnamed file below the directory takes on the disk. */
function bytesOnDisk(): number {
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      if (!readlinkSync(`/proc/self/fd/${fd}`).startsWith(directory)) continue;
      return fstatSync(Number(fd)).blocks * 512;
    } catch {}
  }
  throw new Error('no spill file');
}

test('the file takes as much of the disk as the client is behind, not as much as was ever written', () => {
  using spill = new SpillFile(directory);
  const push = (round: number) => spill.push({ stream: 'stdout', data: Buffer.alloc(MIB, round) });
  push(0);
  for (let round = 1; round <= 60; round += 1) {
    push(round);
    expect(spill.shift()?.data[0]).toBe(round - 1);
  }
  expect(spill.pendingBytes).toBeLessThan(2 * MIB);
  expect(spill.diskBytes).toBeLessThan(16 * MIB);
  expect(bytesOnDisk()).toBeLessThan(16 * MIB);
  expect(Buffer.alloc(MIB, 60).equals(spill.shift()?.data ?? Buffer.alloc(0))).toBe(true);
  expect(spill.shift()).toBeUndefined();
  expect([spill.diskBytes, bytesOnDisk()]).toEqual([0, 0]);
});
