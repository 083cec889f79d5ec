import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import {
  linkSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { readArchive, statArchive } from './archive.ts';
import { createWorld, namesOf, type World } from './testing/world.ts';

let world: World;
const at = (path: string): string => join(world.rootfs, path);

beforeEach(() => {
  world = createWorld();
  for (const path of ['etc', 'etc/sub', 'run', 'var', 'outside']) mkdirSync(at(path));
  writeFileSync(at('etc/passwd'), 'root');
  writeFileSync(at('etc/sub/deep'), 'deep');
  writeFileSync(at('run/pid'), '1');
  symlinkSync('/run', at('var/run'));
  symlinkSync('passwd', at('etc/link'));
});
afterEach(() => world[Symbol.dispose]());

describe('statArchive', () => {
  const stat = (path: string) => statArchive(world.source(), path);

  test('describes files and directories with Go modes', () => {
    utimesSync(at('etc/passwd'), 1, 1.5);
    expect(stat('/etc/passwd')).toEqual({
      name: 'passwd',
      size: 4,
      mode: 0o644,
      mtimeNs: 1_500_000_000n,
      linkTarget: '',
    });
    expect(stat('/etc')).toMatchObject({ name: 'etc', mode: 0x8000_0000 + 0o755 });
  });

  test('a link is described itself, with where it leads in the end', () => {
    expect(stat('/etc/link')).toMatchObject({
      name: 'link',
      mode: 0x0800_0000 + 0o777,
      linkTarget: '/etc/passwd',
    });
    symlinkSync('../var/run/none', at('etc/dangling'));
    expect(stat('etc/dangling').linkTarget).toBe('/run/none');
    symlinkSync('../../../../../../etc/passwd', at('etc/climbing'));
    expect(stat('/etc/climbing').linkTarget).toBe('/etc/passwd');
  });

  test('a path that says it means a directory follows the link', () => {
    expect(stat('/var/run')).toMatchObject({ name: 'run', linkTarget: '/run' });
    expect(stat('/var/run/')).toMatchObject({ name: 'run', mode: 0x8000_0000 + 0o755, linkTarget: '' });
    expect(stat('/var/run/.').name).toBe('.');
    expect(stat('/').name).toBe('/');
  });

  test('what is not there, or no directory, is refused with docker’s texts', () => {
    for (const path of ['/none', '/none/below', '/etc/passwd/below', 'none'])
      expect(() => stat(path)).toThrow(
        expect.objectContaining({
          code: 'not_found',
          message: `Could not find the file ${path} in container web`,
        }),
      );
    expect(() => stat('/etc/passwd/')).toThrow(
      expect.objectContaining({
        code: 'invalid_argument',
        message: expect.stringContaining('not a directory'),
      }),
    );
  });

  test('a chain of links without an end is an error of the caller', () => {
    symlinkSync('b', at('a'));
    symlinkSync('a', at('b'));
    expect(() => stat('/a/x')).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    expect(() => stat('/a')).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });

  test('a million slashes are one', () => {
    expect(stat(`/etc${'/'.repeat(1_000_000)}`).name).toBe('etc');
    expect(() => stat(`/etc${'/.'.repeat(10_000)}x`)).toThrow();
  });
});

describe('readArchive: names', () => {
  test('members are named after the last component', async () => {
    const below = ['link', 'passwd', 'sub/', 'sub/deep'];
    expect(namesOf(await world.read('/etc'))).toEqual(['etc/', ...below.map((name) => `etc/${name}`)]);
    expect(namesOf(await world.read('etc/'))).toEqual(['etc/', ...below.map((name) => `etc/${name}`)]);
    expect(namesOf(await world.read('/etc/.'))).toEqual(['./', ...below.map((name) => `./${name}`)]);
    expect(namesOf(await world.read('/etc/sub/../passwd'))).toEqual(['passwd']);
    expect(namesOf(await world.read('/')).slice(0, 3)).toEqual(['/', '/etc/', '/etc/link']);
  });

  test('a link at the end is archived as one, a trailing slash archives where it leads', async () => {
    const [link, ...others] = await world.read('/var/run');
    expect(link?.header).toMatchObject({ path: 'run', type: 'symlink', linkPath: '/run' });
    expect(others).toEqual([]);
    expect(namesOf(await world.read('/var/run/'))).toEqual(['run/', 'run/pid']);
    expect(namesOf(await world.read('/var/run/pid'))).toEqual(['pid']);
  });
});

describe('readArchive: members', () => {
  test('content, owner, mode and nanoseconds come along', async () => {
    using root = world.sys.files.openRoot(world.rootfs);
    root.lchown('etc/passwd', 33, 44);
    root.chmod('etc/passwd', 0o4750);
    root.lutimes('etc/passwd', { atimeNs: 1n, mtimeNs: 1_700_000_000_123_456_789n });
    const [member] = await world.read('/etc/passwd');
    expect(member?.content).toBe('root');
    expect(member?.header).toMatchObject({
      uid: 33,
      gid: 44,
      mode: 0o4750,
      mtimeNs: 1_700_000_000_123_456_789n,
    });
  });

  test('hard links, devices and fifos keep what they are; sockets are left out', async () => {
    linkSync(at('etc/passwd'), at('etc/sub/again'));
    using root = world.sys.files.openRoot(world.rootfs);
    root.mknod('etc/sub/null', 0o020666, { major: 1, minor: 3 });
    root.mknod('etc/sub/pipe', 0o010600, { major: 0, minor: 0 });
    using _server = Bun.listen({ unix: at('etc/sub/socket'), socket: { data() {} } });
    const found = new Map((await world.read('/etc')).map(({ header }) => [header.path, header]));
    expect(found.get('etc/sub/again')).toMatchObject({ type: 'hardlink', linkPath: 'etc/passwd' });
    expect(found.get('etc/sub/null')).toMatchObject({ type: 'character', devMajor: 1, devMinor: 3 });
    expect(found.get('etc/sub/pipe')).toMatchObject({ type: 'fifo' });
    expect(found.has('etc/sub/socket')).toBe(false);
  });

  test('file capabilities travel; other attributes only when asked for', async () => {
    using root = world.sys.files.openRoot(world.rootfs);
    for (const name of ['security.capability', 'user.note', 'trusted.overlay.opaque'])
      root.lsetXattr('etc/passwd', name, Buffer.from(name));
    const [member] = await world.read('/etc/passwd');
    expect([...(member?.header.xattrs.keys() ?? [])]).toEqual(['security.capability']);
    const { stream } = readArchive(world.source(), '/etc/passwd', {
      wantsXattr: (name) => name.startsWith('user.'),
    });
    expect(Buffer.concat(await Array.fromAsync(stream)).includes('SCHILY.xattr.user.note=user.note')).toBe(
      true,
    );
  });

  test('IDs are the container’s where it has a user namespace', async () => {
    using root = world.sys.files.openRoot(world.rootfs);
    root.lchown('etc/passwd', 100_033, 5);
    const mapping = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
    const [member] = await world.read(
      '/etc/passwd',
      world.source({ owners: { uids: mapping, gids: mapping } }),
    );
    expect(member?.header).toMatchObject({ uid: 33, gid: 65_534 });
  });

  test('a large and sparse file arrives whole', async () => {
    writeFileSync(at('big'), Buffer.alloc(700_000, 'x'));
    truncateSync(at('big'), 1_000_000);
    const [member] = await world.read('/big');
    expect(member?.content).toBe('x'.repeat(700_000) + '\0'.repeat(300_000));
  });
});

describe('readArchive: the end', () => {
  const open = (): number => readdirSync('/proc/self/fd').length;

  test('descriptors are closed and the end is told once, read or not', async () => {
    writeFileSync(at('big'), Buffer.alloc(5_000_000, 'x'));
    const before = open();
    let ends = 0;
    const onEnd = (): void => {
      ends += 1;
    };
    for (const chunks of [0, 1, 1e9]) {
      const { stream } = readArchive(world.source(), '/big', { onEnd });
      const closed = new Promise((resolve) => stream.once('close', resolve));
      let count = 0;
      if (chunks > 0) for await (const _ of stream) if (++count >= chunks) break;
      stream.destroy();
      await closed;
    }
    expect(ends).toBe(3);
    expect(() => readArchive(world.source(), '/none', { onEnd })).toThrow();
    expect(ends).toBe(3);
    expect(open()).toBe(before);
  });

  test('what vanishes while the archive is read is left out', async () => {
    const { stream } = readArchive(world.source(), '/etc');
    const pending = Array.fromAsync(stream);
    rmSync(at('etc/sub'), { recursive: true });
    await pending;
    expect(statSync(at('etc')).isDirectory()).toBe(true);
  });
});

describe('a stopped container with mounts', () => {
  test('volumes and single files are seen in their places, links in them stay in the container', async () => {
    const volume = join(world.dir, 'volume');
    mkdirSync(join(volume, 'inner'), { recursive: true });
    writeFileSync(join(volume, 'data'), 'in the volume');
    symlinkSync('/etc/passwd', join(volume, 'absolute'));
    symlinkSync('../../../../etc/passwd', join(volume, 'climbing'));
    writeFileSync(join(world.dir, 'hosts'), 'mine');
    mkdirSync(at('data'));
    writeFileSync(at('data/hidden'), '');
    const source = world.source({
      mounts: [
        { destination: '/etc/hosts', source: join(world.dir, 'hosts'), readOnly: false },
        { destination: '/data', source: volume, readOnly: false },
        // Through a link of the image, on a mount point that is missing.
        { destination: '/var/run/new/deep', source: volume, subpath: 'inner', readOnly: false },
      ],
    });
    expect(namesOf(await world.read('/data', source))).toEqual([
      'data/',
      'data/absolute',
      'data/climbing',
      'data/data',
      'data/inner/',
    ]);
    expect((await world.read('/etc/hosts', source))[0]?.content).toBe('mine');
    expect(namesOf(await world.read('/etc', source))).toContain('etc/hosts');
    expect(statArchive(source, '/data/absolute').linkTarget).toBe('/etc/passwd');
    for (const link of ['absolute', 'climbing'])
      expect(statArchive(source, `/data/${link}`)).toMatchObject({ linkTarget: '/etc/passwd' });
    expect(namesOf(await world.read('/run', source))).toEqual([
      'run/',
      'run/new/',
      'run/new/deep/',
      'run/pid',
    ]);
    expect(namesOf(await world.read('/data/../etc/passwd', source))).toEqual(['passwd']);
  });

  test('a missing source is named', () => {
    const source = world.source({
      mounts: [{ destination: '/data', source: join(world.dir, 'none'), readOnly: false }],
    });
    expect(() => statArchive(source, '/etc')).toThrow('bind source path does not exist');
  });
});
