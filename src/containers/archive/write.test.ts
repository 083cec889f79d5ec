import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { errorMessage, type TarInput, writeTar } from '#base';
import { writeArchive } from './archive.ts';
import { createWorld, type World } from './testing/world.ts';

let world: World;
const at = (path: string): string => join(world.rootfs, path);
const file = (path: string, body = 'new', header: Partial<TarInput['header']> = {}): TarInput => ({
  header: { path, ...header },
  body,
});
const directory = (path: string, header: Partial<TarInput['header']> = {}): TarInput => ({
  header: { path, type: 'directory', ...header },
});
const refused = (code: string, message: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(message) });

beforeEach(() => {
  world = createWorld();
  for (const path of ['etc', 'etc/sub', 'run', 'var']) mkdirSync(at(path));
  writeFileSync(at('etc/passwd'), 'root');
  symlinkSync('/run', at('var/run'));
});
afterEach(() => world[Symbol.dispose]());

describe('writeArchive: content', () => {
  test('files, directories and links get what the archive says', async () => {
    await world.write('/etc', [
      directory('d', { mode: 0o1777, mtimeNs: 5_000_000_007n, uid: 7 }),
      file('d/f', 'content', { mode: 0o4711, uid: 33, gid: 44, mtimeNs: 1_700_000_000_000_000_123n }),
      { header: { path: 'd/link', type: 'symlink', linkPath: '/nowhere', uid: 3, mtimeNs: 9n } },
      { header: { path: 'd/again', type: 'hardlink', linkPath: 'd/f' } },
      { header: { path: 'd/null', type: 'character', devMajor: 1, devMinor: 3, mode: 0o666 } },
      { header: { path: 'd/pipe', type: 'fifo', mode: 0o600 } },
    ]);
    using root = world.sys.files.openRoot(at('etc/d'));
    expect(readFileSync(at('etc/d/f'), 'utf8')).toBe('content');
    expect(root.stat('f')).toMatchObject({
      mode: 0o104711,
      uid: 33,
      gid: 44,
      nlink: 2,
      mtimeNs: 1_700_000_000_000_000_123n,
    });
    expect(root.stat('')).toMatchObject({ mode: 0o041777, uid: 7, mtimeNs: 5_000_000_007n });
    expect(readlinkSync(at('etc/d/link'))).toBe('/nowhere');
    expect(root.stat('link')).toMatchObject({ uid: 3, mtimeNs: 9n });
    expect(root.stat('null')).toMatchObject({ mode: 0o020666, rdev: { major: 1, minor: 3 } });
    expect(lstatSync(at('etc/d/pipe')).isFIFO()).toBe(true);
  });

  test('owners: the archive’s, one for all, and those of a user namespace', async () => {
    using root = world.sys.files.openRoot(world.rootfs);
    const members = [file('a', '', { uid: 1, gid: 2 }), file('implied/b', '', { uid: 3 })];
    await world.write('/etc', members, { owner: { uid: 1000, gid: 1001 } });
    expect(root.stat('etc/a')).toMatchObject({ uid: 1000, gid: 1001 });
    const mapping = [{ containerID: 0, hostID: 100_000, size: 1000 }];
    const source = world.source({ owners: { uids: mapping, gids: mapping } });
    await world.write('/etc/sub', members, {}, source);
    expect(root.stat('etc/sub/a')).toMatchObject({ uid: 100_001, gid: 100_002 });
    expect(root.stat('etc/sub/implied')).toMatchObject({ uid: 100_000, gid: 100_000, mode: 0o040755 });
    await expect(world.write('/etc', [file('c', '', { uid: 5000 })], {}, source)).rejects.toThrow(
      'container ID 5000 cannot be mapped to a host ID',
    );
  });

  test('portable attributes are set, those that steer overlayfs are not', async () => {
    const xattrs = new Map(
      ['security.capability', 'user.note', 'user.overlay.opaque', 'trusted.overlay.opaque'].map(
        (name) => [name, Buffer.from('y')] as const,
      ),
    );
    await world.write('/etc', [file('f', '', { xattrs }), directory('d', { xattrs })]);
    using root = world.sys.files.openRoot(at('etc'));
    for (const path of ['f', 'd'])
      expect(root.llistXattrs(path).sort()).toEqual(['security.capability', 'user.note']);
  });

  test('sparse files keep their holes', async () => {
    writeFileSync(join(world.dir, 'sparse'), '');
    Bun.spawnSync(['sh', '-c', 'truncate -s 50M sparse && printf end >> sparse'], { cwd: world.dir });
    const tar = Bun.spawnSync(['tar', '-cSf', '-', 'sparse'], { cwd: world.dir }).stdout;
    await writeArchive(world.source(), '/etc', chunksOf(tar), { fdOps: world.sys.fdOps });
    const { size, blocks } = statSync(at('etc/sparse'));
    expect(size).toBe(50 * 1024 * 1024 + 3);
    expect(blocks * 512).toBeLessThan(1024 * 1024);
    expect(readFileSync(at('etc/sparse')).subarray(-3).toString()).toBe('end');
  });

  test('the extraction point keeps its mode, a directory on a directory merges', async () => {
    await world.write('/etc', [directory('./', { mode: 0o700 }), directory('sub', { mode: 0o711 })]);
    expect(statSync(at('etc')).mode & 0o777).toBe(0o755);
    expect(statSync(at('etc/sub')).mode & 0o777).toBe(0o711);
    expect(existsSync(at('etc/passwd'))).toBe(true);
  });
});

describe('writeArchive: compression', () => {
  const programs = { bzip2: ['bzip2', '-c'], xz: ['xz', '-c'] } as const;
  const compressors: Record<string, (tar: Uint8Array) => Uint8Array> = {
    gzip: (tar) => Bun.gzipSync(tar as Uint8Array<ArrayBuffer>),
    zstd: (tar) => zstdCompressSync(tar),
    bzip2: (tar) => Bun.spawnSync([...programs.bzip2], { stdin: tar as Uint8Array<ArrayBuffer> }).stdout,
    xz: (tar) => Bun.spawnSync([...programs.xz], { stdin: tar as Uint8Array<ArrayBuffer> }).stdout,
  };
  // Does not compress well, so that half of it ends within the file.
  const body = randomBytes(400_000).toString('hex');

  for (const [name, compress] of Object.entries(compressors)) {
    const has = name in programs ? Bun.which(name) !== null : true;
    test.skipIf(!has)(`${name} is unpacked, broken data is refused`, async () => {
      const tar = Buffer.concat(await Array.fromAsync(writeTar([file('f', body)])));
      const packed = compress(tar);
      const write = (bytes: Uint8Array) =>
        writeArchive(world.source(), '/etc', chunksOf(bytes), { fdOps: world.sys.fdOps });
      await write(packed);
      expect(readFileSync(at('etc/f'), 'utf8')).toBe(body);
      await expect(write(packed.subarray(0, packed.length / 2))).rejects.toEqual(
        refused('invalid_argument', 'invalid'),
      );
    });
  }

  test('zstd that is cut off behind the last file is refused, too', async () => {
    const tar = Buffer.concat(await Array.fromAsync(writeTar([file('f')])));
    // Two frames: the first holds all of the archive, the second is padding that never comes whole.
    const packed = Buffer.concat([zstdCompressSync(tar), zstdCompressSync(Buffer.alloc(10_240))]);
    const write = writeArchive(world.source(), '/etc', chunksOf(packed.subarray(0, -3)), {
      fdOps: world.sys.fdOps,
    });
    await expect(write).rejects.toEqual(refused('invalid_argument', 'invalid archive: broken zstd data'));
  });

  test('a program inside the container is not what unpacks it', async () => {
    mkdirSync(at('usr/bin'), { recursive: true });
    for (const name of ['xz', 'bzip2', 'gzip', 'unpigz'])
      writeFileSync(at(`usr/bin/${name}`), `#!/bin/sh\ntouch ${join(world.dir, 'canary')}\n`, {
        mode: 0o755,
      });
    for (const [name, compress] of Object.entries(compressors)) {
      if (name in programs && Bun.which(name) === null) continue;
      const tar = Buffer.concat(await Array.fromAsync(writeTar([file('f', name)])));
      await writeArchive(world.source(), '/', chunksOf(compress(tar)), { fdOps: world.sys.fdOps });
      expect(readFileSync(at('f'), 'utf8')).toBe(name);
    }
    expect(existsSync(join(world.dir, 'canary'))).toBe(false);
  });

  test('an error of the sender comes through, also within compressed data', async () => {
    const tar = Bun.gzipSync(Buffer.concat(await Array.fromAsync(writeTar([file('f', body)]))));
    async function* breaksOff(): AsyncGenerator<Uint8Array> {
      yield tar.subarray(0, 100);
      throw new Error('connection reset');
    }
    const writing = writeArchive(world.source(), '/etc', breaksOff(), { fdOps: world.sys.fdOps });
    await expect(writing).rejects.toThrow('connection reset');
  });
});

describe('writeArchive: the extraction point', () => {
  test('must be there and be a directory; links to one are followed', async () => {
    await world.write('/var/run', [file('pid')]);
    expect(readFileSync(at('run/pid'), 'utf8')).toBe('new');
    await world.write('/var/run/', [file('second')]);
    await world.write('/var/run/.', [file('third')]);
    expect(readdirSync(at('run'))).toEqual(['pid', 'second', 'third']);
    await expect(world.write('/none', [])).rejects.toEqual(
      refused('not_found', 'Could not find the file /none in container web'),
    );
    for (const path of ['/etc/passwd', '/etc/passwd/', '/etc/passwd/below'])
      await expect(world.write(path, [])).rejects.toEqual(
        refused('invalid_argument', 'extraction point is not a directory'),
      );
  });

  test('must be writable, as must every mount that a member reaches', async () => {
    const volume = join(world.dir, 'volume');
    mkdirSync(volume);
    symlinkSync('/etc', join(volume, 'out'));
    symlinkSync('/data', at('etc/in'));
    const mount = { destination: '/data', source: volume };
    const readOnlyVolume = world.source({ mounts: [{ ...mount, readOnly: true }] });
    const readOnlyRoot = world.source({ readonlyRootfs: true, mounts: [{ ...mount, readOnly: false }] });
    const write = (path: string, name: string, source: typeof readOnlyRoot) =>
      world.write(path, [file(name)], {}, source);
    await expect(write('/data', 'f', readOnlyVolume)).rejects.toEqual(
      refused('forbidden', 'mounted volume is marked read-only'),
    );
    await expect(write('/etc', 'f', readOnlyRoot)).rejects.toEqual(
      refused('forbidden', 'container rootfs is marked read-only'),
    );
    await expect(write('/etc', 'in/f', readOnlyVolume)).rejects.toMatchObject({ code: 'forbidden' });
    await expect(write('/data', 'out/f', readOnlyRoot)).rejects.toMatchObject({ code: 'forbidden' });
    await write('/data', 'f', readOnlyRoot);
    await write('/etc', 'f', readOnlyVolume);
    expect([readdirSync(volume).sort(), readdirSync(at('etc')).includes('f')]).toEqual([['f', 'out'], true]);
  });
});

describe('writeArchive: what is in the way', () => {
  test('is replaced, or refused when it is of the other kind', async () => {
    const strict = { noOverwriteDirNonDir: true };
    await world.write('/etc', [file('passwd')], strict);
    expect(readFileSync(at('etc/passwd'), 'utf8')).toBe('new');
    await expect(world.write('/etc', [file('sub')], strict)).rejects.toEqual(
      refused('invalid_argument', 'cannot overwrite directory "sub" with non-directory "/etc"'),
    );
    await expect(world.write('/etc', [directory('passwd')], strict)).rejects.toEqual(
      refused('invalid_argument', 'cannot overwrite non-directory "passwd" with directory "/etc"'),
    );
    await world.write('/etc', [file('sub'), directory('passwd')]);
    expect(readFileSync(at('etc/sub'), 'utf8')).toBe('new');
    expect(statSync(at('etc/passwd')).isDirectory()).toBe(true);
  });

  test('a link at the end is replaced, never written through', async () => {
    symlinkSync('/etc/passwd', at('run/link'));
    await world.write('/run', [file('link')]);
    expect(lstatSync(at('run/link')).isFile()).toBe(true);
    expect(readFileSync(at('etc/passwd'), 'utf8')).toBe('root');
  });

  test('a mount is never removed, nor what is in it', async () => {
    const volume = join(world.dir, 'volume');
    mkdirSync(volume);
    writeFileSync(join(volume, 'precious'), '');
    const source = world.source({
      mounts: [
        { destination: '/data/deep', source: volume, readOnly: false },
        { destination: '/etc/hosts', source: join(volume, 'precious'), readOnly: false },
      ],
    });
    for (const [path, name] of [
      ['/', 'data'],
      ['/data', 'deep'],
      ['/etc', 'hosts'],
    ] as const)
      await expect(world.write(path, [file(name)], {}, source)).rejects.toEqual(
        refused('conflict', 'device or resource busy'),
      );
    expect(readdirSync(volume)).toEqual(['precious']);
    await world.write('/data', [file('deep/f')], {}, source);
    expect(readdirSync(volume).sort()).toEqual(['f', 'precious']);
  });
});

describe('writeArchive: hostile archives', () => {
  test('names that climb out are refused, absolute ones are relative to the extraction point', async () => {
    for (const name of ['../evil', '/../evil', 'a/../../evil', '..'])
      await expect(world.write('/etc', [file(name)])).rejects.toEqual(
        refused('invalid_argument', 'leads out'),
      );
    await world.write('/etc', [file('/abs/f'), file('a/../b')]);
    expect([existsSync(at('etc/abs/f')), existsSync(at('etc/b'))]).toEqual([true, true]);
  });

  test('a link in the archive does not lead out of the container', async () => {
    const canary = join(world.dir, 'canary');
    mkdirSync(canary);
    const up = '../'.repeat(20);
    for (const [index, target] of [canary, up + canary].entries()) {
      const writing = world.write('/etc', [
        { header: { path: `l${index}`, type: 'symlink', linkPath: target } },
        file(`l${index}/evil`),
      ]);
      // Where the link leads within the container there is nothing.
      expect(errorMessage(await writing.catch((error: unknown) => error))).not.toBe('');
    }
    expect(readdirSync(canary)).toEqual([]);
    await world.write('/etc', [
      { header: { path: 'inside', type: 'symlink', linkPath: `${up}run` } },
      file('inside/f'),
    ]);
    expect(existsSync(at('run/f'))).toBe(true);
  });

  test('hard links reach what the extraction point holds only', async () => {
    writeFileSync(join(world.dir, 'secret'), '');
    for (const linkPath of ['../../secret', '/none', '', 'none'])
      await expect(
        world.write('/etc', [{ header: { path: 'l', type: 'hardlink', linkPath } }]),
      ).rejects.toMatchObject({ code: 'invalid_argument' });
    expect(existsSync(at('etc/l'))).toBe(false);
  });

  test('something that is no archive is refused, and nothing stays open', async () => {
    const before = readdirSync('/proc/self/fd').length;
    const write = (bytes: Uint8Array) =>
      writeArchive(world.source(), '/etc', chunksOf(bytes), { fdOps: world.sys.fdOps });
    await expect(write(Buffer.alloc(2000, 'no'))).rejects.toMatchObject({ code: 'invalid_argument' });
    const tar = Buffer.concat(await Array.fromAsync(writeTar([file('f', 'x'.repeat(5000))])));
    await expect(write(tar.subarray(0, 2000))).rejects.toMatchObject({ code: 'invalid_argument' });
    await write(new Uint8Array(0));
    const abort = new AbortController();
    abort.abort(new Error('gone'));
    await expect(world.write('/etc', [file('f')], { signal: abort.signal })).rejects.toThrow('gone');
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });
});

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  // The first chunk is shorter than any mark of a compression.
  yield bytes.subarray(0, 1);
  for (let offset = 1; offset < bytes.length; offset += 10_000) yield bytes.subarray(offset, offset + 10_000);
}
