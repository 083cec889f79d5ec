import { afterEach, beforeEach, expect, test } from 'bun:test';
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errnoCode } from '#base';
import { createFdOps, createSys, S_IFCHR, S_IFIFO, selfTest } from '#sys';
import { deadFileSystem, HAS_FUSE } from '../../harness/dead-file-system.ts';
import { SLOWNESS } from '../../harness/slowness.ts';

const sys = createSys();
const RACE_MS = 300;
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gantry-files-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    return errnoCode(error);
  }
  return undefined;
}

/** A process that swaps two names as fast as it can until it is disposed. */
async function swapForever(a: string, b: string) {
  const script = `
    import { createSys } from '${join(import.meta.dir, '../../../src/sys/index.ts')}';
    const { files } = createSys();
    files.exchange(${JSON.stringify(a)}, ${JSON.stringify(b)});
    console.log('ready');
    for (;;) try { files.exchange(${JSON.stringify(a)}, ${JSON.stringify(b)}); } catch {}
  `;
  const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe', stderr: 'inherit' });
  await child.stdout.getReader().read();
  return child;
}

test('RootedDir: no race of a directory with a symlink leads out of the root', async () => {
  const [top, outside] = [join(dir, 'root'), join(dir, 'outside')];
  for (const path of [top, outside, join(top, 'd')]) mkdirSync(path);
  writeFileSync(join(top, 'd', 'secret'), 'inside');
  writeFileSync(join(outside, 'secret'), 'outside');
  symlinkSync(`../../../../../../../../..${outside}`, join(top, 'evil'));
  await using _swapper = await swapForever(join(top, 'd'), join(top, 'evil'));
  const seen = new Map<string, number>();
  const count = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1);
  let created = 0;
  for (const end = performance.now() + RACE_MS; performance.now() < end; ) {
    using root = sys.files.openRoot(top);
    try {
      const fd = root.open('d/secret', constants.O_RDONLY);
      count(readFileSync(fd, 'utf8'));
      closeSync(fd);
    } catch (error) {
      count(errnoCode(error) ?? 'other');
    }
    if (codeOf(() => root.mkdir(`d/new${created}`, 0o755)) === undefined) created++;
    codeOf(() => root.chmod('d', 0o700));
    codeOf(() => root.lchown('d/secret', 1, 1));
  }
  expect(seen.get('inside') ?? 0).toBeGreaterThan(0);
  expect([...seen.keys()].filter((what) => what !== 'inside' && what !== 'ENOENT')).toEqual([]);
  // Both faces of the race were met.
  expect(seen.get('ENOENT') ?? 0).toBeGreaterThan(0);
  expect(created).toBeGreaterThan(0);
  expect(readdirSync(outside)).toEqual(['secret']);
  expect(statSync(join(outside, 'secret')).uid).toBe(statSync(outside).uid);
});

test(
  'RootedDir.remove: a race with a symlink never removes what the symlink names',
  async () => {
    const [top, outside] = [join(dir, 'root'), join(dir, 'outside')];
    for (const path of [top, outside]) mkdirSync(path);
    const names = Array.from({ length: 50 }, (_, index) => `keep${index}`);
    for (const name of names) writeFileSync(join(outside, name), '');
    for (let round = 0; round < 10; round++) {
      mkdirSync(join(top, 'victim/sub'), { recursive: true });
      for (let index = 0; index < 200; index++) writeFileSync(join(top, 'victim/sub', `f${index}`), '');
      symlinkSync(outside, join(top, 'evil'));
      await using _swapper = await swapForever(join(top, 'victim/sub'), join(top, 'evil'));
      using root = sys.files.openRoot(top);
      codeOf(() => root.remove('victim'));
      codeOf(() => root.remove('evil'));
      _swapper.kill('SIGKILL');
      await _swapper.exited;
      using again = sys.files.openRoot(top);
      for (const name of again.list('/')) again.remove(name);
      expect(again.list('/')).toEqual([]);
    }
    expect(readdirSync(outside)).toHaveLength(names.length);
  },
  20_000 * SLOWNESS,
);

test('RootedDir.remove: takes a tree deeper than any path', () => {
  let fd = openSync(dir, 'r');
  for (let depth = 0; depth < 1500; depth++) {
    const next = `/proc/self/fd/${fd}/nested`;
    mkdirSync(next);
    const below = openSync(next, 'r');
    closeSync(fd);
    fd = below;
  }
  closeSync(fd);
  using root = sys.files.openRoot(dir);
  root.remove('nested');
  expect(readdirSync(dir)).toEqual([]);
});

test('RootedDir: keeps owner, device, attributes and special bits', () => {
  using root = sys.files.openRoot(dir);
  const ops = createFdOps();
  const fd = root.open('f', constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600);
  ops.fchown(fd, 33, 44);
  ops.fchmod(fd, 0o6755);
  ops.fsetXattr(
    fd,
    'security.capability',
    Uint8Array.of(1, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
  );
  ops.close(fd);
  expect(root.stat('f')).toMatchObject({ uid: 33, gid: 44, mode: 0o106755 });
  expect(root.lgetXattr('f', 'security.capability')).toHaveLength(20);
  root.symlink('f', 'l');
  root.lchown('l', 5, 6);
  root.lsetXattr('l', 'trusted.on-link', new Uint8Array());
  expect(root.stat('l')).toMatchObject({ uid: 5, gid: 6 });
  expect(root.stat('f')).toMatchObject({ uid: 33, gid: 44 });
  expect(root.lgetXattr('l', 'trusted.on-link')).toEqual(new Uint8Array());
  expect(root.lgetXattr('f', 'trusted.on-link')).toBeUndefined();
  root.mknod('whiteout', S_IFCHR, { major: 0, minor: 0 });
  root.mknod('big', S_IFCHR | 0o600, { major: 511, minor: 1_048_575 });
  root.mknod('fifo', S_IFIFO | 0o600, { major: 0, minor: 0 });
  expect(root.stat('big')?.rdev).toEqual({ major: 511, minor: 1_048_575 });
  expect(root.stat('fifo')?.mode).toBe(S_IFIFO | 0o600);
  root.lsetXattr('', 'trusted.on-root', Uint8Array.of(7));
  expect(root.llistXattrs('/')).toEqual(['trusted.on-root']);
});

test('files: attributes, statfs, syncfs, locks and exchange', () => {
  const [a, b] = [join(dir, 'a'), join(dir, 'b')];
  writeFileSync(a, 'a');
  writeFileSync(b, 'b');
  sys.files.setXattr(a, 'trusted.x', Uint8Array.of(1, 2, 3));
  expect(sys.files.getXattr(a, 'trusted.x')).toEqual(Uint8Array.of(1, 2, 3));
  expect(sys.files.listXattrs(a)).toEqual(['trusted.x']);
  sys.files.removeXattr(a, 'trusted.x');
  sys.files.removeXattr(a, 'trusted.x');
  expect(sys.files.getXattr(a, 'trusted.x')).toBeUndefined();
  expect(sys.files.statfs(dir).blockSize).toBeGreaterThan(0n);
  sys.files.syncfs(dir);
  sys.files.exchange(a, b);
  expect([readFileSync(a, 'utf8'), readFileSync(b, 'utf8')]).toEqual(['b', 'a']);
  const [one, two] = [openSync(a, 'r'), openSync(a, 'r')];
  expect([sys.files.tryLock(one), sys.files.tryLock(two)]).toEqual([true, false]);
  closeSync(one);
  expect(sys.files.tryLock(two)).toBe(true);
  closeSync(two);
});

test('mayWait: disks and memory of this machine answer at once, and so does what is not there', () => {
  for (const path of [dir, '/proc', '/dev', 'a\0b'])
    expect([path, sys.files.mayWait(path)]).toEqual([path, false]);
  statSync(join(dir, 'missing'), { throwIfNoEntry: false });
  expect(sys.files.mayWait(join(dir, 'missing'))).toBe(false);
});

test.skipIf(!HAS_FUSE)('mayWait: a directory whose server is dead is found without asking it', () => {
  using dead = deadFileSystem();
  expect(sys.files.mayWait(dead.path)).toBe(true);
  expect(sys.files.mayWait(join(dead.path, 'below'))).toBe(true);
});

test('fallocatePunchHole: zeroes a range and keeps the size', () => {
  const path = join(dir, 'f');
  writeFileSync(path, Buffer.alloc(65_536, 1));
  const fd = openSync(path, 'r+');
  createFdOps().fallocatePunchHole(fd, 4096n, 8192n);
  closeSync(fd);
  const content = readFileSync(path);
  expect(content).toHaveLength(65_536);
  expect([content[4095], content[4096], content[12_287], content[12_288]]).toEqual([1, 0, 0, 1]);
});

test('selfTest: all is well here', () => {
  expect(selfTest(sys).filter((result) => !result.ok)).toEqual([]);
});
