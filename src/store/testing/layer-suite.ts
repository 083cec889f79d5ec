import { expect } from 'bun:test';
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { type Digest, digestOf } from '#oci';
import { createSys } from '#sys';
import { character, directory, file, hardlink, layerTar, paxHeader, paxRecord, symlink } from './archives.ts';
import { type RunTest, rejects } from './snapshotter-suite.ts';

/** A `security.capability` value: cap_net_raw+ep, revision 2. */
const CAP_NET_RAW = 'AQAAAgAgAAAAAAAAAAAAAAAAAAA=';

const text = (root: string, path: string): string => readFileSync(join(root, path), 'utf8');
const mtimeNs = (path: string): bigint => lstatSync(path, { bigint: true }).mtimeNs;
const xattr = (path: string, name: string): string =>
  Buffer.from(createSys().files.getXattr(path, name) ?? []).toString('base64');

/** Applying and removing layers. */
export function layerSuite(run: RunTest): void {
  run('files come out with content, mode, owner and time', async ({ apply, mount }) => {
    const { root } = await mount(
      await apply([
        directory('etc', { mode: 0o750, uid: 3, gid: 4, mtimeNs: 1_600_000_000_000_000_001n }),
        file('etc/passwd', 'root:x', { mode: 0o4755, uid: 33, gid: 44, mtimeNs: 1_700_000_000_123_456_789n }),
        file('etc/big', Buffer.alloc(3_000_001, 'z')),
        file('etc/größe', 'unicode', { mtimeNs: -1_500_000_000n }),
        file('empty'),
        directory('tmp', { mode: 0o1777 }),
      ]),
    );
    expect(text(root, 'etc/passwd')).toBe('root:x');
    const passwd = lstatSync(join(root, 'etc/passwd'), { bigint: true });
    expect([passwd.mode & 0o7777n, passwd.uid, passwd.gid]).toEqual([0o4755n, 33n, 44n]);
    expect(passwd.mtimeNs).toBe(1_700_000_000_123_456_789n);
    const etc = lstatSync(join(root, 'etc'), { bigint: true });
    expect([etc.mode & 0o7777n, etc.uid, etc.gid, etc.mtimeNs]).toEqual([
      0o750n,
      3n,
      4n,
      1_600_000_000_000_000_001n,
    ]);
    expect(readFileSync(join(root, 'etc/big')).equals(Buffer.alloc(3_000_001, 'z'))).toBe(true);
    expect(mtimeNs(join(root, 'etc/größe'))).toBe(-1_500_000_000n);
    expect(lstatSync(join(root, 'tmp')).mode & 0o7777).toBe(0o1777);
  });

  run('links, devices, pipes and attributes', async ({ apply, mount }) => {
    const xattrs = new Map([
      ['user.note', Buffer.from('hello')],
      ['security.capability', Buffer.from(CAP_NET_RAW, 'base64')],
    ]);
    const { root } = await mount(
      await apply([
        file('a', 'content', { xattrs }),
        hardlink('b', 'a'),
        hardlink('c', './/b'),
        symlink('s', '/absolute/../target'),
        character('null', 1, 3),
        { header: { path: 'disk', type: 'block', devMajor: 259, devMinor: 70_000 } },
        { header: { path: 'pipe', type: 'fifo', mode: 0o620 } },
      ]),
    );
    const [a, b, c] = ['a', 'b', 'c'].map((name) => lstatSync(join(root, name)));
    expect([b?.ino, c?.ino, a?.nlink]).toEqual([a?.ino, a?.ino, 3]);
    expect(xattr(join(root, 'a'), 'user.note')).toBe(Buffer.from('hello').toString('base64'));
    expect(xattr(join(root, 'b'), 'security.capability')).toBe(CAP_NET_RAW);
    expect(readlinkSync(join(root, 's'))).toBe('/absolute/../target');
    expect([lstatSync(join(root, 'null')).isCharacterDevice(), lstatSync(join(root, 'null')).rdev]).toEqual([
      true,
      0x103,
    ]);
    expect(lstatSync(join(root, 'disk')).isBlockDevice()).toBe(true);
    expect([lstatSync(join(root, 'pipe')).isFIFO(), lstatSync(join(root, 'pipe')).mode & 0o777]).toEqual([
      true,
      0o620,
    ]);
  });

  run('a sparse member keeps its holes', async ({ applyBytes, mount }) => {
    const records = [
      ['GNU.sparse.map', '0,5,50000000,3'],
      ['GNU.sparse.numblocks', '2'],
      ['GNU.sparse.size', '60000000'],
    ] as const;
    const header = paxHeader(records.map(([key, value]) => paxRecord(key, value)).join(''));
    const { root } = await mount(
      await applyBytes(Buffer.concat([header, await layerTar([file('s', 'startend')])])),
    );
    const found = lstatSync(join(root, 's'));
    expect(found.size).toBe(60_000_000);
    expect(found.blocks * 512).toBeLessThan(1_000_000);
    const bytes = readFileSync(join(root, 's'));
    expect([bytes.toString('utf8', 0, 5), bytes.toString('utf8', 50_000_000, 50_000_003)]).toEqual([
      'start',
      'end',
    ]);
  });

  run('plain, gzip and zstd of one archive are one layer', async (context) => {
    const plain = await layerTar([file('f', 'x'.repeat(100_000)), file('g', 'yy')]);
    const expected = { diffId: digestOf(plain), sizeBytes: 100_002 };
    const halves = [plain.subarray(0, 1000), plain.subarray(1000)];
    for (const bytes of [
      plain,
      gzipSync(plain),
      Buffer.concat(halves.map((half) => gzipSync(half))),
      zstdCompressSync(plain),
      Buffer.concat(halves.map((half) => zstdCompressSync(half))),
    ]) {
      const chainId = await context.applyBytes(bytes);
      expect(context.snapshotter.layer(chainId)).toEqual({ ...expected, parent: undefined });
    }
  });

  run('an empty blob and an archive without members are layers', async ({ applyBytes, apply, mount }) => {
    await applyBytes(new Uint8Array(0));
    const { root } = await mount(await apply([]));
    expect(readdirSync(root)).toEqual([]);
  });

  run('whiteouts hide files and directories of lower layers', async ({ apply, mount }) => {
    const base = await apply([
      file('dir/a', '1'),
      file('dir/b', '2'),
      directory('gone'),
      file('gone/x', '3'),
      file('keep', '4'),
    ]);
    const { root } = await mount(
      await apply([file('dir/.wh.a'), file('.wh.gone'), file('.wh.never-there')], base),
    );
    expect(readdirSync(root).sort()).toEqual(['dir', 'keep']);
    expect(readdirSync(join(root, 'dir'))).toEqual(['b']);
  });

  run('opaque directories hide all that was there', async ({ apply, mount }) => {
    const base = await apply([file('dir/a', '1'), file('dir/sub/b', '2')]);
    const middle = await apply([file('dir/c', '3')], base);
    const { root } = await mount(
      await apply([directory('dir'), file('dir/new', '4'), file('dir/.wh..wh..opq')], middle),
    );
    expect(readdirSync(join(root, 'dir'))).toEqual(['new']);
  });

  run('an opaque root hides everything below', async ({ apply, mount }) => {
    const base = await apply([file('a', '1'), directory('d')]);
    const { root } = await mount(await apply([file('.wh..wh..opq'), file('b', '2')], base));
    expect(readdirSync(root)).toEqual(['b']);
  });

  run('a whiteout hides only lower layers, wherever it stands in its archive', async ({ apply, mount }) => {
    const base = await apply([file('d/old', '1'), file('f', 'old'), file('e/old', '1')]);
    const top = await apply(
      [
        file('.wh.d'),
        directory('d'),
        file('d/new', '2'),
        directory('e'),
        file('e/new', '3'),
        file('.wh.e'),
        file('f', 'new'),
        file('.wh.f'),
      ],
      base,
    );
    const { root } = await mount(top);
    expect(readdirSync(join(root, 'd'))).toEqual(['new']);
    expect(readdirSync(join(root, 'e'))).toEqual(['new']);
    expect(text(root, 'f')).toBe('new');
  });

  run('a whiteout, then a member below it without a directory of its own', async ({ apply, mount }) => {
    const base = await apply([file('d/old', '1')]);
    const { root } = await mount(await apply([file('.wh.d'), file('d/new', '2')], base));
    expect(readdirSync(join(root, 'd'))).toEqual(['new']);
  });

  run('missing parents are made like those of the lower layers', async ({ apply, mount }) => {
    const base = await apply([
      directory('srv', { mode: 0o2770, uid: 7, gid: 8, mtimeNs: 1_500_000_000_000_000_000n }),
    ]);
    const { root } = await mount(await apply([file('srv/new/deep/f', 'x')], base));
    const srv = lstatSync(join(root, 'srv'), { bigint: true });
    expect([srv.mode & 0o7777n, srv.uid, srv.gid, srv.mtimeNs]).toEqual([
      0o2770n,
      7n,
      8n,
      1_500_000_000_000_000_000n,
    ]);
    expect(lstatSync(join(root, 'srv/new')).mode & 0o777).toBe(0o755);
  });

  run('a hard link to a file of a lower layer', async ({ apply, mount }) => {
    const base = await apply([
      file('bin/tool', 'program', { mode: 0o4755, uid: 9, mtimeNs: 5_000_000_001n }),
    ]);
    const { root } = await mount(await apply([hardlink('bin/alias', 'bin/tool')], base));
    const [tool, alias] = ['bin/tool', 'bin/alias'].map((name) =>
      lstatSync(join(root, name), { bigint: true }),
    );
    expect(alias?.ino).toBe(tool?.ino as bigint);
    expect([alias?.mode, alias?.uid, alias?.mtimeNs]).toEqual([0o104755n, 9n, 5_000_000_001n]);
    expect(text(root, 'bin/alias')).toBe('program');
  });

  run('of several members with one name the last wins; directories merge', async ({ apply, mount }) => {
    const { root } = await mount(
      await apply([
        file('f', 'first, longer'),
        file('f', 'last'),
        directory('d', { mode: 0o700 }),
        file('d/kept', '1'),
        directory('d', { mode: 0o755 }),
        file('x', 'file'),
        directory('x'),
        directory('y'),
        file('y/z', '1'),
        file('y', 'file'),
        symlink('l', 'f'),
        file('l', 'no longer a link'),
      ]),
    );
    expect(text(root, 'f')).toBe('last');
    expect([lstatSync(join(root, 'd')).mode & 0o777, text(root, 'd/kept')]).toEqual([0o755, '1']);
    expect([lstatSync(join(root, 'x')).isDirectory(), text(root, 'y'), text(root, 'l')]).toEqual([
      true,
      'file',
      'no longer a link',
    ]);
  });

  run('writing through a symlink stays inside, as in a chroot', async ({ apply, mount, outside }) => {
    const { root } = await mount(
      await apply([directory('etc'), symlink('abs', '/etc'), file('abs/f', 'x'), symlink('out', outside)]),
    );
    expect(text(root, 'etc/f')).toBe('x');
  });

  run('applying again answers at once, also beside another', async ({ snapshotter, blob }) => {
    const bytes = await layerTar([file('f', 'x'.repeat(200_000))]);
    const options = { chainId: digestOf('one'), parent: undefined, blobPath: blob(bytes) };
    const results = await Promise.all([snapshotter.applyLayer(options), snapshotter.applyLayer(options)]);
    expect(results[0]).toEqual(results[1]);
    expect(await snapshotter.applyLayer({ ...options, blobPath: '/does/not/exist' })).toEqual(results[0]);
    expect(snapshotter.layers()).toEqual([options.chainId]);
  });

  run('a known blob digest is the diffID of a plain layer only', async ({ snapshotter, applyBytes }) => {
    const plain = await layerTar([file('f', 'x')]);
    const packed = gzipSync(plain);
    for (const bytes of [plain, packed]) {
      const chainId = await applyBytes(bytes, { blobDigest: digestOf(bytes) });
      expect(snapshotter.layer(chainId)?.diffId).toBe(digestOf(plain));
    }
  });

  run(
    'the wrong diffID is `data_loss`, a missing parent `not_found`',
    async ({ snapshotter, applyBytes }) => {
      const bytes = await layerTar([file('f')]);
      await rejects(applyBytes(bytes, { expectedDiffId: digestOf('other') }), 'data_loss');
      await rejects(applyBytes(bytes, { parent: digestOf('nobody') }), 'not_found');
      expect(snapshotter.layers()).toEqual([]);
    },
  );

  run('an aborted signal stops the work and leaves nothing', async ({ snapshotter, applyBytes }) => {
    const members = Array.from({ length: 3000 }, (_, index) => file(`f${index}`, 'x'.repeat(3000)));
    const bytes = await layerTar(members);
    const controller = new AbortController();
    const applying = applyBytes(bytes, { signal: controller.signal });
    setTimeout(() => controller.abort(), 5);
    await rejects(applying, 'canceled');
    await rejects(applyBytes(bytes, { signal: AbortSignal.abort() }), 'canceled');
    expect(snapshotter.layers()).toEqual([]);
    await applyBytes(bytes);
  });

  run('a layer that is stood on cannot be removed', async ({ apply, snapshotter }) => {
    const base = await apply([file('a')]);
    const top = await apply([file('b')], base);
    await snapshotter.createSnapshot('c', top);
    await rejects(snapshotter.removeLayer(base), 'conflict');
    await rejects(snapshotter.removeLayer(top), 'conflict');
    await snapshotter.removeSnapshot('c');
    await snapshotter.removeLayer(top);
    await snapshotter.removeLayer(base);
    await snapshotter.removeLayer('sha256:unknown' as Digest).catch(() => {});
    expect(snapshotter.layers()).toEqual([]);
  });

  run('a hundred layers can be mounted', async ({ apply, mount }) => {
    let parent: Digest | undefined;
    for (let index = 0; index < 100; index += 1)
      parent = await apply([file(`f${index}`, `${index}`)], parent);
    const { root } = await mount(parent);
    expect(readdirSync(root)).toHaveLength(100);
    expect(existsSync(join(root, 'f0'))).toBe(true);
  });
}
