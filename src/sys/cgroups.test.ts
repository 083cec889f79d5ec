import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errnoCode } from '#base';
import { createCgroups } from './cgroups.ts';
import type { CgroupMode } from './types.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gantry-cgroups-'));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

/** A copy of a recorded tree. Its files are ordinary ones, so writing shows exactly what was written. */
function recorded(name: 'v1' | 'hybrid' | 'v2') {
  cpSync(join(import.meta.dir, 'testdata/cgroups', name), root, { recursive: true });
  return createCgroups({ mountinfo: readFileSync(join(root, 'mountinfo'), 'utf8'), root });
}

const file = (path: string) => readFileSync(join(root, 'sys/fs/cgroup', path), 'utf8').trim();

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    return errnoCode(error);
  }
  return undefined;
}

test('createCgroups: tells the three layouts apart', () => {
  const modes = { v1: 'legacy', hybrid: 'hybrid', v2: 'unified' } as const satisfies Record<
    string,
    CgroupMode
  >;
  for (const [name, mode] of Object.entries(modes))
    expect(recorded(name as keyof typeof modes).mode).toBe(mode);
});

for (const name of ['v1', 'hybrid'] as const) {
  describe(`recorded ${name} tree`, () => {
    test('controllers: each with its first mount, without flags and options', () => {
      const cgroups = recorded(name);
      const mount = (base: string) => join(root, 'sys/fs/cgroup', base);
      expect([...cgroups.controllers]).toEqual([
        ['name=systemd', mount('systemd')],
        ['cpu', mount('cpu,cpuacct')],
        ['cpuacct', mount('cpu,cpuacct')],
        ['cpuset', mount('cpuset')],
        ['memory', mount('memory')],
        ['pids', mount('pids')],
      ]);
      expect(cgroups.unified).toBe(name === 'v1' ? undefined : mount('unified'));
      expect(cgroups.directory('memory', '/app')).toBe(mount('memory/app'));
      expect(cgroups.directory('blkio', '/app')).toBeUndefined();
    });

    test('read and write: one file of one controller', () => {
      const cgroups = recorded(name);
      expect(cgroups.read('memory', '/app', 'memory.limit_in_bytes')).toBe('536870912');
      cgroups.write('cpu', 'app', 'cpu.shares', '256');
      expect(file('cpu,cpuacct/app/cpu.shares')).toBe('256');
      expect(cgroups.read('memory', '/nope', 'memory.limit_in_bytes')).toBeUndefined();
      expect(cgroups.read('blkio', '/app', 'blkio.weight')).toBeUndefined();
      expect(codeOf(() => cgroups.write('memory', '/app', 'memory.new', '1'))).toBe('ENOENT');
      expect(codeOf(() => cgroups.write('blkio', '/app', 'blkio.weight', '1'))).toBe('ENOENT');
    });

    test('create: makes it in every hierarchy and seeds cpuset from above', () => {
      recorded(name).create('/fresh/inner');
      for (const mount of ['systemd', 'cpu,cpuacct', 'cpuset', 'memory', 'pids']) {
        expect(existsSync(join(root, 'sys/fs/cgroup', mount, 'fresh/inner'))).toBe(true);
      }
      expect(file('cpuset/fresh/cpuset.cpus')).toBe('0-3');
      expect(file('cpuset/fresh/cpuset.mems')).toBe('0');
      expect(file('cpuset/fresh/inner/cpuset.cpus')).toBe('0-3');
      expect(existsSync(join(root, 'sys/fs/cgroup/unified/fresh/inner'))).toBe(name === 'hybrid');
    });

    test('processes: of all hierarchies and everything below, each once', () => {
      const expected = name === 'hybrid' ? [777, 812, 813, 901] : [812, 813, 901];
      expect(recorded(name).processes('/app')).toEqual(expected);
      expect(recorded(name).processes('/nope')).toEqual([]);
    });
  });
}

describe('recorded v2 tree', () => {
  test('every controller lives in the one tree', () => {
    const cgroups = recorded('v2');
    expect(cgroups.controllers.size).toBe(0);
    expect(cgroups.directory('memory', '/app')).toBe(join(root, 'sys/fs/cgroup/app'));
    expect(cgroups.read('memory', '/app', 'memory.max')).toBe('536870912');
    expect(cgroups.processes('/app')).toEqual([901]);
  });

  test('create: enables on the way what is available and not yet enabled', () => {
    recorded('v2').create('/app/new');
    expect(existsSync(join(root, 'sys/fs/cgroup/app/new'))).toBe(true);
    // Ordinary files keep the last of several writes; the kernel adds them up.
    expect(file('cgroup.subtree_control')).toStartWith('+io');
    expect(file('app/cgroup.subtree_control')).toBe('+pids');
  });

  test('create: below processes nothing is enabled, or their cgroup would become threaded', () => {
    const cgroups = recorded('v2');
    writeFileSync(join(root, 'sys/fs/cgroup/app/cgroup.type'), 'domain\n');
    writeFileSync(join(root, 'sys/fs/cgroup/app/cgroup.procs'), '901\n');
    const before = file('app/cgroup.subtree_control');
    cgroups.create('/app/exec-1');
    expect(existsSync(join(root, 'sys/fs/cgroup/app/exec-1'))).toBe(true);
    expect(file('app/cgroup.subtree_control')).toBe(before);
  });
});

test('remove: takes the tree below; what is missing is fine, what is busy is reported', () => {
  const cgroups = recorded('v2');
  mkdirSync(join(root, 'sys/fs/cgroup/gone/a/b'), { recursive: true });
  cgroups.remove('/gone');
  expect(existsSync(join(root, 'sys/fs/cgroup/gone'))).toBe(false);
  cgroups.remove('/gone');
  // Ordinary files keep a directory as processes keep a cgroup.
  expect(codeOf(() => cgroups.remove('/app'))).toBe('ENOTEMPTY');
  expect(codeOf(() => cgroups.remove('/'))).toBe('EBUSY');
});

test('paths and file names that leave the tree are refused', () => {
  const cgroups = recorded('v2');
  for (const path of ['..', '/app/../../etc', 'a/\0']) {
    expect(codeOf(() => cgroups.create(path))).toBe('EINVAL');
    expect(codeOf(() => cgroups.remove(path))).toBe('EINVAL');
    expect(codeOf(() => cgroups.read('memory', path, 'memory.max'))).toBe('EINVAL');
  }
  for (const name of ['../memory.max', 'worker/memory.max', '.', '']) {
    expect(codeOf(() => cgroups.write('memory', '/app', name, '1'))).toBe('EINVAL');
  }
});
