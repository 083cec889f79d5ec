import { describe, expect, test } from 'bun:test';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { TarInput } from '#base';
import { configFor, dockerArchive, fileEntry, layerOf, streamOf, tarOf } from '#images/testing';
import { digestOf } from '#oci';
import { isRoot, type OpenStores, openStores, temporaryRoot, withTree } from './stores.ts';

async function bytesOf(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Layers on disk, without what is on its way out. */
const layerDirectories = (root: string): string[] => readdirSync(join(root, 'overlay', 'layers'));

describe.skipIf(!isRoot)('images on the overlay snapshotter', () => {
  test.skipIf(Bun.which('busybox') === null)('a bootstrapped busybox runs its shell', async () => {
    using root = temporaryRoot();
    using stores = await openStores(root.path);
    await stores.images.bootstrap('busybox');
    await withTree(stores, 'busybox', (tree) => {
      const run = Bun.spawnSync([
        'chroot',
        tree,
        '/bin/sh',
        '-c',
        'echo hi > /tmp/x; cat /tmp/x; id -un; ls -ld /tmp | cut -c1-10',
      ]);
      expect(run.stdout.toString()).toBe('hi\nroot\ndrwxrwxrwt\n');
    });
  });

  test('layers stack with whiteouts, opaque directories and replaced files', async () => {
    using root = temporaryRoot();
    using stores = await openStores(root.path);
    const base = await layerOf({ keep: '1', gone: '1', 'dir/a': '1', 'dir/b': '1', 'opaque/old': '1' });
    const top = await tarOf([
      fileEntry('.wh.gone', ''),
      fileEntry('dir/.wh.a', ''),
      fileEntry('dir/b', 'changed'),
      fileEntry('opaque/.wh..wh..opq', ''),
      fileEntry('opaque/new', '1'),
      { header: { path: 'link', type: 'symlink', linkPath: '/keep' } },
    ]);
    await stores.images.load(streamOf(await tarOf(dockerArchive([{ layers: [base, top], tags: ['x:1'] }]))));
    await withTree(stores, 'x:1', (tree) => {
      expect(readdirSync(tree).sort()).toEqual(['dir', 'keep', 'link', 'opaque']);
      expect(readdirSync(join(tree, 'dir'))).toEqual(['b']);
      expect(readFileSync(join(tree, 'dir/b'), 'utf8')).toBe('changed');
      expect(readdirSync(join(tree, 'opaque'))).toEqual(['new']);
      expect(readlinkSync(join(tree, 'link'))).toBe('/keep');
    });
  });

  test('what is saved loads elsewhere with the same ID and the same bytes', async () => {
    using root = temporaryRoot();
    using other = temporaryRoot();
    using stores = await openStores(root.path);
    using copies = await openStores(other.path);
    const layers = [await layerOf({ a: 'x'.repeat(300_000) }), await layerOf({ b: 'y' })];
    await stores.images.load(streamOf(await tarOf(dockerArchive([{ layers, tags: ['x:1', 'y:2'] }]))));
    const archive = await bytesOf(stores.images.save(['x:1', 'y:2']));
    for (const form of [archive, gzipSync(archive), zstdCompressSync(archive)]) {
      await copies.images.load(streamOf(form, 100_000));
      expect(copies.images.get('y:2')).toEqual({
        ...stores.images.get('x:1'),
        lastTagTime: expect.any(String),
      });
    }
    expect(digestOf(await bytesOf(copies.images.save(['x:1', 'y:2'])))).toBe(digestOf(archive));
  });

  test('removing the last image leaves an empty store', async () => {
    using root = temporaryRoot();
    using stores = await openStores(root.path);
    const layers = [await layerOf({ a: '1' }), await layerOf({ b: '2' })];
    await stores.images.load(streamOf(await tarOf(dockerArchive([{ layers, tags: ['x:1'] }]))));
    await stores.images.remove('x:1');
    await stores.snapshotter.settle();
    expect(layerDirectories(root.path)).toEqual([]);
    expect(stores.content.list()).toEqual([]);
    expect(readdirSync(join(root.path, 'content', 'ingest'))).toEqual([]);
  });

  test('images, names and layers are there after a restart; a lost layer is put back', async () => {
    using root = temporaryRoot();
    const layers = [await layerOf({ a: '1' }), await layerOf({ b: '2' })];
    {
      using stores = await openStores(root.path);
      await stores.images.load(streamOf(await tarOf(dockerArchive([{ layers, tags: ['x:1'] }]))));
      const { chainId } = stores.images.get('x:1');
      if (chainId) await stores.snapshotter.removeLayer(chainId);
      await stores.snapshotter.settle();
    }
    using again = await openStores(root.path);
    await withTree(again, 'x:1', (tree) => expect(readdirSync(tree).sort()).toEqual(['a', 'b']));
  });
});

describe.skipIf(!isRoot)('layers large enough to be unpacked while they arrive', () => {
  const MEGABYTE = 1024 * 1024;
  const large = (name: string, more: TarInput[] = []) =>
    tarOf([fileEntry(name, Buffer.alloc(12 * MEGABYTE, name)), ...more]);
  const staging = (root: string): string[] => readdirSync(join(root, 'overlay', 'staging'));

  for (const order of ['base first', 'base last']) {
    test(`${order}: the tree is right and nothing is left in staging`, async () => {
      using root = temporaryRoot();
      using stores = await openStores(root.path);
      const base = await large('base', [fileEntry('both', 'base')]);
      const top = await large('top', [fileEntry('both', 'top'), fileEntry('.wh.base', '')]);
      const members = dockerArchive([{ layers: [base, top], tags: ['x:1'] }]);
      const archive = await tarOf(order === 'base first' ? members : members.toReversed());
      await stores.images.load(streamOf(archive, 65_536));
      await withTree(stores, 'x:1', (tree) => {
        expect(readdirSync(tree).sort()).toEqual(['both', 'top']);
        expect(readFileSync(join(tree, 'both'), 'utf8')).toBe('top');
      });
      expect(staging(root.path)).toEqual([]);
      expect(stores.content.list()).toHaveLength(3);
    });
  }

  test('imported, and imported again', async () => {
    using root = temporaryRoot();
    using stores = await openStores(root.path);
    const layer = await large('file');
    for (const form of [layer, gzipSync(layer), layer]) {
      const image = await stores.images.importRootfs(streamOf(form, 65_536), { reference: 'x:1' });
      expect(image.config.rootfs.diff_ids).toEqual([digestOf(layer)]);
    }
    await stores.snapshotter.settle();
    expect(staging(root.path)).toEqual([]);
    expect(layerDirectories(root.path)).toHaveLength(1);
  });

  test('two at once', async () => {
    using root = temporaryRoot();
    using stores = await openStores(root.path);
    const layers = [await large('one'), await large('two')];
    await Promise.all(
      layers.map((layer, at) =>
        stores.images.importRootfs(streamOf(layer, 65_536), { reference: `x:${at}` }),
      ),
    );
    for (const [at, name] of ['one', 'two'].entries()) {
      await withTree(stores, `x:${at}`, (tree) => expect(readdirSync(tree)).toEqual([name]));
    }
    expect(staging(root.path)).toEqual([]);
  });

  test('a client that goes away, broken and hostile ones leave nothing', async () => {
    using root = temporaryRoot();
    using stores = await openStores(root.path);
    const layer = await large('file', [fileEntry('late', 'x'.repeat(MEGABYTE))]);
    async function* cut() {
      yield* streamOf(layer.subarray(0, 10 * MEGABYTE), 65_536);
      throw new Error('connection reset');
    }
    await expect(stores.images.importRootfs(cut())).rejects.toThrow('connection reset');
    await expect(
      stores.images.importRootfs(streamOf(layer.subarray(0, 11 * MEGABYTE), 65_536)),
    ).rejects.toThrow();
    const evil = await large('file', [
      { header: { path: 'link', type: 'hardlink', linkPath: '/etc/passwd' } },
    ]);
    await expect(stores.images.importRootfs(streamOf(evil, 65_536))).rejects.toThrow('invalid layer');
    await stores.snapshotter.settle();
    expect(staging(root.path)).toEqual([]);
    expect(layerDirectories(root.path)).toEqual([]);
    expect(stores.content.list()).toEqual([]);
    expect(readdirSync(join(root.path, 'content', 'ingest'))).toEqual([]);
  });

  test('a layer that is not what its config says is refused', async () => {
    using root = temporaryRoot();
    using stores = await openStores(root.path);
    const config = configFor([await large('expected')]);
    const members = dockerArchive([{ layers: [await large('other')], tags: ['x:1'], config }]);
    await expect(stores.images.load(streamOf(await tarOf(members), 65_536))).rejects.toThrow(
      'invalid diffID for layer 0',
    );
    await stores.snapshotter.settle();
    expect(staging(root.path)).toEqual([]);
    expect(layerDirectories(root.path)).toEqual([]);
  });
});

describe.skipIf(!isRoot)('hostile layers', () => {
  const evil = (outside: string): Readonly<Record<string, TarInput[]>> => ({
    'a name with dots': [fileEntry(`../../../../../../../..${outside}/owned`, 'x')],
    'an absolute name': [fileEntry(`${outside}/owned`, 'x')],
    'a symlink to write through': [
      { header: { path: 'link', type: 'symlink', linkPath: outside } },
      fileEntry('link/owned', 'x'),
    ],
    'a chain of symlinks': [
      { header: { path: 'a', type: 'symlink', linkPath: '/' } },
      { header: { path: 'b', type: 'symlink', linkPath: `a${outside}` } },
      fileEntry('b/owned', 'x'),
    ],
    'a hard link to a file outside': [
      { header: { path: 'link', type: 'hardlink', linkPath: `${outside}/canary` } },
      fileEntry('link', 'overwritten'),
    ],
    'a symlink over the root': [
      { header: { path: '.', type: 'symlink', linkPath: outside } },
      fileEntry('owned', 'x'),
    ],
    'a whiteout with dots': [fileEntry(`../../../../../../../..${outside}/.wh.canary`, '')],
    'a whiteout through a symlink': [
      { header: { path: 'link', type: 'symlink', linkPath: outside } },
      fileEntry('link/.wh.canary', ''),
      fileEntry('link/.wh..wh..opq', ''),
    ],
  });

  async function attempt(stores: OpenStores, layer: Uint8Array): Promise<void> {
    const archive = await tarOf(dockerArchive([{ layers: [layer], tags: ['evil:1'] }]));
    await stores.images.load(streamOf(archive)).catch(() => {});
    await stores.images.importRootfs(streamOf(layer), { reference: 'evil:2' }).catch(() => {});
  }

  for (const name of Object.keys(evil('/'))) {
    test(`${name} changes nothing outside`, async () => {
      using root = temporaryRoot();
      using outside = temporaryRoot();
      mkdirSync(join(outside.path, 'sub'));
      writeFileSync(join(outside.path, 'canary'), 'alive');
      {
        using stores = await openStores(root.path);
        await attempt(stores, await tarOf(evil(outside.path)[name] ?? []));
        await stores.images.prune({ all: true });
        await stores.snapshotter.settle();
        expect(stores.content.list()).toEqual([]);
        expect(layerDirectories(root.path)).toEqual([]);
      }
      expect(readFileSync(join(outside.path, 'canary'), 'utf8')).toBe('alive');
      expect(statSync(join(outside.path, 'canary')).nlink).toBe(1);
      expect(readdirSync(outside.path).sort()).toEqual(['canary', 'sub']);
    });
  }
});

describe.skipIf(!isRoot)('kill -9 during a load', () => {
  test('the next start has all of the image or nothing, and loading again works', async () => {
    using root = temporaryRoot();
    using files = temporaryRoot();
    const layers = [
      await tarOf(Array.from({ length: 400 }, (_, at) => fileEntry(`d/${at}`, `${at}`.repeat(5_000)))),
      await tarOf(Array.from({ length: 400 }, (_, at) => fileEntry(`e/${at}`, `${at}`.repeat(5_000)))),
    ];
    const archive = join(files.path, 'archive.tar');
    writeFileSync(archive, await tarOf(dockerArchive([{ layers, tags: ['x:1'] }])));
    const program = join(import.meta.dir, 'fixtures', 'load-program.ts');
    for (let round = 0; round < 10; round += 1) {
      const child = Bun.spawn([process.execPath, program, root.path, archive], { stdout: 'pipe' });
      const output = child.stdout.getReader();
      // Moments from the first byte on; the later ones may come after the end.
      if (!(await output.read()).done) await Bun.sleep(round * 12);
      child.kill('SIGKILL');
      await child.exited;
      using stores = await openStores(root.path);
      const images = stores.images.list({ all: true });
      expect([0, 1]).toContain(images.length);
      expect(stores.content.list()).toHaveLength(images.length * 3);
      expect(stores.snapshotter.layers()).toHaveLength(images.length * 2);
      await stores.snapshotter.settle();
      expect(layerDirectories(root.path)).toHaveLength(images.length * 2);
      if (images.length === 1) await stores.images.remove('x:1');
      await stores.snapshotter.settle();
    }
    using stores = await openStores(root.path);
    await stores.images.load(streamOf(readFileSync(archive), 1_000_000));
    await withTree(stores, 'x:1', (tree) => expect(existsSync(join(tree, 'e/399'))).toBe(true));
  }, 60_000);
});
