import { describe, expect, test } from 'bun:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { TarInput } from '#base';
import { chainIds, digestOf, MEDIA_TYPE } from '#oci';
import {
  configFor,
  createImageFixture,
  dockerArchive,
  fileEntry,
  type ImageFixture,
  LayoutBuilder,
  layerOf,
  named,
  streamOf,
  tarOf,
} from './testing/index.ts';
import type { ImageProgress } from './types.ts';

const A = await layerOf({ a: 'layer a' });
const B = await layerOf({ b: 'layer b', big: 'x'.repeat(400_000) });

const load = async (fixture: ImageFixture, members: Iterable<TarInput>) =>
  fixture.images.load(streamOf(await tarOf(members)));

/** Nothing of a failed load may stay. */
function expectNothing({ images, content, snapshotter }: ImageFixture): void {
  expect(images.list({ all: true })).toEqual([]);
  expect(content.list()).toEqual([]);
  expect(snapshotter.layers()).toEqual([]);
}

describe('load of a docker archive', () => {
  test('makes an image of its config, layers and tags', async () => {
    using fixture = await createImageFixture();
    const [loaded] = await load(
      fixture,
      dockerArchive([{ layers: [A, B], tags: ['busybox:latest', 'me/x:1'] }]),
    );
    const id = digestOf(JSON.stringify(configFor([A, B])));
    expect(loaded).toEqual({ id, references: ['docker.io/library/busybox:latest', 'docker.io/me/x:1'] });
    const image = fixture.images.get('busybox');
    expect(image.id).toBe(id);
    expect(image.tags).toEqual(['docker.io/library/busybox:latest', 'docker.io/me/x:1']);
    expect(image.layerSizes).toEqual([7, 400_007]);
    expect(image.sizeBytes).toBe(400_014);
    expect(image.chainId).toBe(chainIds([digestOf(A), digestOf(B)]).at(-1));
    expect(fixture.events()).toEqual([`load ${id}`]);
  });

  test("tells docker's texts", async () => {
    using fixture = await createImageFixture();
    const progress: ImageProgress[] = [];
    const archive = await tarOf(
      dockerArchive([{ layers: [A], tags: ['busybox:latest'] }, { layers: [A, B] }]),
    );
    await fixture.images.load(streamOf(archive), { onProgress: (step) => progress.push(step) });
    const untagged = digestOf(JSON.stringify(configFor([A, B])));
    expect(progress.flatMap(({ stream }) => stream ?? [])).toEqual([
      'Loaded image: busybox:latest\n',
      `Loaded image ID: ${untagged}\n`,
    ]);
    const layer = progress.find(({ status }) => status === 'Loading layer');
    expect(layer).toEqual({
      id: digestOf(A).slice(7, 19),
      status: 'Loading layer',
      current: 0,
      total: A.length,
    });
  });

  test('tells when a name moves', async () => {
    using fixture = await createImageFixture();
    const [old] = await load(fixture, dockerArchive([{ layers: [A], tags: ['x:1'] }]));
    const progress: ImageProgress[] = [];
    const archive = await tarOf(dockerArchive([{ layers: [B], tags: ['x:1'] }]));
    await fixture.images.load(streamOf(archive), { quiet: true, onProgress: (step) => progress.push(step) });
    expect(progress.map(({ stream }) => stream)).toEqual([
      `The image x:1 already exists, renaming the old one with ID ${old?.id} to empty string\n`,
      'Loaded image: x:1\n',
    ]);
    expect(fixture.images.list({ dangling: true }).map(({ id }) => id)).toEqual(old ? [old.id] : []);
  });

  test('follows links between layers, as docker before 25 writes them', async () => {
    using fixture = await createImageFixture();
    const config = JSON.stringify(configFor([A, A]));
    const [loaded] = await load(fixture, [
      fileEntry('config.json', config),
      fileEntry('one/layer.tar', A),
      { header: { path: 'two/layer.tar', type: 'symlink', linkPath: '../one/layer.tar' } },
      fileEntry(
        'manifest.json',
        JSON.stringify([{ Config: 'config.json', Layers: ['one/layer.tar', 'two/layer.tar'] }]),
      ),
    ]);
    expect(fixture.images.get(loaded?.id ?? '').layerSizes).toEqual([7, 7]);
  });

  test('takes compressed archives and compressed layers', async () => {
    for (const compress of [gzipSync, zstdCompressSync]) {
      using fixture = await createImageFixture();
      const members = dockerArchive([{ layers: [A, B], tags: ['x:1'] }]).map((member) =>
        member.header.path.endsWith('layer.tar')
          ? fileEntry(member.header.path, compress(member.body as Uint8Array))
          : member,
      );
      await fixture.images.load(streamOf(compress(await tarOf(members)), 1000));
      expect(fixture.images.get('x:1').layerSizes).toEqual([7, 400_007]);
    }
  });

  test('loading the same again changes nothing', async () => {
    using fixture = await createImageFixture();
    const members = dockerArchive([{ layers: [A, B], tags: ['x:1'] }]);
    await load(fixture, members);
    const before = fixture.content.list();
    await load(fixture, members);
    expect(fixture.content.list()).toEqual(before);
    expect(fixture.snapshotter.applied).toHaveLength(2);
  });

  test('two loads at once both succeed', async () => {
    using fixture = await createImageFixture();
    await Promise.all([
      load(fixture, dockerArchive([{ layers: [A, B], tags: ['x:1'] }])),
      load(fixture, dockerArchive([{ layers: [A], tags: ['x:2'] }])),
    ]);
    expect(
      fixture.images
        .list()
        .flatMap(({ tags }) => tags)
        .sort(),
    ).toEqual(['docker.io/library/x:1', 'docker.io/library/x:2']);
  });

  test('reads the format from before docker 1.10', async () => {
    using fixture = await createImageFixture();
    const [base, top] = ['a'.repeat(64), 'b'.repeat(64)];
    await load(fixture, [
      fileEntry(
        `${base}/json`,
        JSON.stringify({
          id: base,
          created: '2014-01-01T00:00:00Z',
          container_config: { Cmd: ['add', 'it'] },
        }),
      ),
      fileEntry(`${base}/layer.tar`, A),
      fileEntry(
        `${top}/json`,
        JSON.stringify({ id: top, parent: base, os: 'linux', architecture: 'amd64', config: { Cmd: ['x'] } }),
      ),
      fileEntry(`${top}/layer.tar`, B),
      fileEntry('repositories', JSON.stringify({ old: { '1.0': top } })),
    ]);
    const image = fixture.images.get('old:1.0');
    expect(image.config.config).toEqual({ Cmd: ['x'] });
    expect(image.layerSizes).toEqual([7, 400_007]);
    expect(fixture.images.history('old:1.0').map(({ createdBy }) => createdBy)).toEqual(['', 'add it']);
  });
});

describe('load of an OCI layout', () => {
  test('makes an image of each listed manifest', async () => {
    using fixture = await createImageFixture();
    const layout = new LayoutBuilder();
    const manifest = layout.addImage([A, B]);
    await load(
      fixture,
      layout.members([named(manifest, 'docker.io/library/x:1'), named(manifest, 'docker.io/library/x:2')]),
    );
    const image = fixture.images.get('x:1');
    expect(image.tags).toEqual(['docker.io/library/x:1', 'docker.io/library/x:2']);
    expect(image.manifest?.digest).toBe(manifest.digest);
  });

  test('chooses this platform from nested indexes and skips attestations', async () => {
    using fixture = await createImageFixture();
    const layout = new LayoutBuilder();
    const architecture = process.arch === 'x64' ? 'amd64' : 'arm64';
    const mine = { ...layout.addImage([A]), platform: { os: 'linux', architecture } };
    const other = { ...layout.addImage([B]), platform: { os: 'linux', architecture: 's390x' } };
    const note = {
      ...layout.add('{}', MEDIA_TYPE.ociManifest),
      platform: { os: 'unknown', architecture: 'unknown' },
      annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
    };
    const index = (manifests: unknown[]) =>
      layout.add(
        JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests }),
        MEDIA_TYPE.ociIndex,
      );
    const top = index([other, index([note, other, mine])]);
    await load(fixture, layout.members([named(top, 'docker.io/library/x:1')]));
    expect(fixture.images.get('x:1').layerSizes).toEqual([7]);
  });

  test('takes gzip and zstd layers that say so', async () => {
    for (const [layerType, compress] of [
      [MEDIA_TYPE.ociLayerTarGzip, gzipSync],
      [MEDIA_TYPE.ociLayerTarZstd, zstdCompressSync],
    ] as const) {
      using fixture = await createImageFixture();
      const layout = new LayoutBuilder();
      const manifest = layout.addImage([A], { blobs: [compress(A)], layerType });
      await load(fixture, layout.members([named(manifest, 'docker.io/library/x:1')]));
      expect(fixture.images.get('x:1').sizeBytes).toBe(7);
    }
  });
});

describe('load of a bad archive leaves nothing', () => {
  const config = JSON.stringify(configFor([A]));
  const manifest = (item: object) => fileEntry('manifest.json', JSON.stringify([item]));
  const whole = [fileEntry('config.json', config), fileEntry('layer.tar', A)];
  const deep = `${'['.repeat(200)}${']'.repeat(200)}`;
  const layout = new LayoutBuilder();
  const good = layout.addImage([A]);
  const lying = layout.addImage([A], { layerType: MEDIA_TYPE.ociLayerTarGzip });
  const both = layout.add(
    JSON.stringify({ schemaVersion: 2, config: good, layers: [], manifests: [] }),
    MEDIA_TYPE.ociManifest,
  );
  const cases: readonly (readonly [name: string, members: TarInput[], text: string])[] = [
    ['neither manifest nor index', whole, 'unrecognized image format'],
    [
      'null manifest',
      [...whole, fileEntry('manifest.json', 'null')],
      'manifest cannot be null (but can be [])',
    ],
    ['broken manifest', [...whole, fileEntry('manifest.json', '{')], 'invalid manifest.json: not JSON'],
    ['deep manifest', [...whole, fileEntry('manifest.json', deep)], 'nested deeper than 64 levels'],
    [
      'huge manifest',
      [...whole, fileEntry('manifest.json', `[${' '.repeat(9_000_000)}]`)],
      'larger than 8388608 bytes',
    ],
    [
      'config outside',
      [...whole, manifest({ Config: '../../etc/passwd', Layers: ['layer.tar'] })],
      'open ../../etc/passwd: no such file or directory',
    ],
    [
      'absolute config',
      [...whole, manifest({ Config: '/etc/passwd', Layers: ['layer.tar'] })],
      'no such file or directory',
    ],
    [
      'layer link outside',
      [
        fileEntry('config.json', config),
        { header: { path: 'layer.tar', type: 'symlink', linkPath: '/etc/passwd' } },
        manifest({ Config: 'config.json', Layers: ['layer.tar'] }),
      ],
      'open layer.tar: no such file or directory',
    ],
    [
      'link to itself',
      [
        fileEntry('config.json', config),
        { header: { path: 'layer.tar', type: 'symlink', linkPath: 'layer.tar' } },
        manifest({ Config: 'config.json', Layers: ['layer.tar'] }),
      ],
      'open layer.tar: no such file or directory',
    ],
    [
      'links around',
      [
        fileEntry('config.json', config),
        { header: { path: 'a', type: 'symlink', linkPath: 'b/x' } },
        { header: { path: 'b', type: 'symlink', linkPath: 'a/y' } },
        manifest({ Config: 'config.json', Layers: ['a'] }),
      ],
      'no such file or directory',
    ],
    [
      'missing layer',
      [fileEntry('config.json', config), manifest({ Config: 'config.json', Layers: ['layer.tar'] })],
      'open layer.tar: no such file or directory',
    ],
    [
      'too few layers',
      [...whole, manifest({ Config: 'config.json', Layers: [] })],
      'invalid manifest, layers length mismatch: expected 0, got 1',
    ],
    [
      'another layer',
      [
        fileEntry('config.json', config),
        fileEntry('layer.tar', B),
        manifest({ Config: 'config.json', Layers: ['layer.tar'] }),
      ],
      `invalid diffID for layer 0: expected "${digestOf(A)}", got "${digestOf(B)}"`,
    ],
    [
      'another compressed layer',
      [
        fileEntry('config.json', config),
        fileEntry('layer.tar', gzipSync(B)),
        manifest({ Config: 'config.json', Layers: ['layer.tar'] }),
      ],
      'invalid diffID for layer 0',
    ],
    [
      'another operating system',
      [
        fileEntry('config.json', JSON.stringify({ ...configFor([A]), os: 'windows' })),
        fileEntry('layer.tar', A),
        manifest({ Config: 'config.json', Layers: ['layer.tar'] }),
      ],
      'cannot load windows image on linux',
    ],
    [
      'bad tag',
      [...whole, manifest({ Config: 'config.json', Layers: ['layer.tar'], RepoTags: ['x'] })],
      'invalid tag "x"',
    ],
    [
      'bad config field',
      [
        fileEntry('config.json', JSON.stringify({ ...configFor([A]), config: { Env: 'A=b' } })),
        fileEntry('layer.tar', A),
        manifest({ Config: 'config.json', Layers: ['layer.tar'] }),
      ],
      'invalid image config: bad Env',
    ],
    [
      'too much history',
      [
        fileEntry('config.json', JSON.stringify({ ...configFor([A]), history: [{}, {}] })),
        fileEntry('layer.tar', A),
        manifest({ Config: 'config.json', Layers: ['layer.tar'] }),
      ],
      'too many non-empty layers in History section',
    ],
    [
      'broken layer',
      [
        fileEntry('config.json', JSON.stringify(configFor([Buffer.alloc(600_000, 1)]))),
        fileEntry('layer.tar', Buffer.alloc(600_000, 1)),
        manifest({ Config: 'config.json', Layers: ['layer.tar'] }),
      ],
      '',
    ],
    ['media type that lies', layout.members([lying]), 'but none content'],
    ['manifest and index at once', layout.members([both]), 'ambiguous'],
    [
      'index announced as manifest',
      layout.members([
        {
          ...layout.add(
            JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests: [] }),
            MEDIA_TYPE.ociIndex,
          ),
          mediaType: MEDIA_TYPE.ociManifest,
        },
      ]),
      'media type',
    ],
    [
      'wrong size',
      layout.members([{ ...good, size: good.size + 1 }]),
      `size is ${good.size}, expected ${good.size + 1}`,
    ],
    [
      'wrong digest',
      [...layout.members([good]), fileEntry(`blobs/sha256/${good.digest.slice(7)}`, '{}')],
      'digest is sha256:',
    ],
    [
      'digest that is a path',
      layout.members([{ ...good, digest: 'sha256:../../../etc/passwd' as never }]),
      'unsupported digest',
    ],
    [
      'no image for here',
      layout.members([
        {
          ...layout.add(
            JSON.stringify({
              schemaVersion: 2,
              manifests: [{ ...good, platform: { os: 'linux', architecture: 's390x' } }],
            }),
            MEDIA_TYPE.ociIndex,
          ),
        },
      ]),
      'no matching manifest for linux/',
    ],
  ];
  for (const [name, members, text] of cases) {
    test(name, async () => {
      using fixture = await createImageFixture();
      await expect(load(fixture, members)).rejects.toThrow(text);
      expectNothing(fixture);
    });
  }

  test('a cut archive', async () => {
    using fixture = await createImageFixture();
    const archive = await tarOf(dockerArchive([{ layers: [B], tags: ['x:1'] }]));
    await expect(fixture.images.load(streamOf(archive.subarray(0, 300_000)))).rejects.toThrow();
    expectNothing(fixture);
  });

  test('no archive at all', async () => {
    using fixture = await createImageFixture();
    await expect(fixture.images.load(streamOf(Buffer.alloc(10_000, 'x')))).rejects.toThrow();
    await expect(fixture.images.load(streamOf(Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3])))).rejects.toThrow(
      'broken gzip data',
    );
    expectNothing(fixture);
  });

  test('more members than an archive may have', async () => {
    using fixture = await createImageFixture({ limits: { maxMembers: 100 } });
    const members = Array.from({ length: 200 }, (_, index) => fileEntry(`f${index}`, ''));
    await expect(load(fixture, members)).rejects.toThrow('more than 100 members');
    expectNothing(fixture);
  });

  test('an index of a million entries', async () => {
    using fixture = await createImageFixture();
    const entry = JSON.stringify(good);
    const before = process.memoryUsage().rss;
    async function* index(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('{"schemaVersion":2,"manifests":[');
      const block = Buffer.from(`${entry},`.repeat(1000));
      for (let count = 0; count < 1000; count += 1) yield block;
      yield Buffer.from(`${entry}]}`);
    }
    let size = 0;
    for await (const chunk of index()) size += chunk.length;
    const members: TarInput[] = [{ header: { path: 'index.json', size }, body: index() }];
    const { writeTar } = await import('#base');
    await expect(fixture.images.load(writeTar(members))).rejects.toThrow('larger than 4194304 bytes');
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024);
    expectNothing(fixture);
  });

  test('a layer that cannot be applied', async () => {
    using fixture = await createImageFixture();
    fixture.snapshotter.failNext(new Error('disk full'));
    await expect(load(fixture, dockerArchive([{ layers: [A, B], tags: ['x:1'] }]))).rejects.toThrow(
      'disk full',
    );
    expectNothing(fixture);
  });

  test('a client that goes away', async () => {
    using fixture = await createImageFixture();
    const abort = new AbortController();
    const archive = await tarOf(dockerArchive([{ layers: [A, B], tags: ['x:1'] }]));
    async function* slow() {
      yield archive.subarray(0, 100_000);
      abort.abort();
      yield archive.subarray(100_000);
    }
    await expect(fixture.images.load(slow(), { signal: abort.signal })).rejects.toThrow();
    expectNothing(fixture);
  });

  test('a decompression bomb', async () => {
    using fixture = await createImageFixture({ limits: { freeBytes: 1024 * 1024, ratio: 100 } });
    const bomb = gzipSync(await tarOf([fileEntry('zeros', Buffer.alloc(8 * 1024 * 1024))]));
    await expect(fixture.images.load(streamOf(bomb))).rejects.toThrow('refused as a decompression bomb');
    expectNothing(fixture);
  });
});

describe('after an interrupted load', () => {
  test('the next start removes what it left', async () => {
    using fixture = await createImageFixture();
    await fixture.content.write(B);
    const [chainId] = chainIds([digestOf(B)]);
    await fixture.snapshotter.applyLayer({
      chainId: chainId ?? digestOf(B),
      parent: undefined,
      blobPath: fixture.content.path(digestOf(B)),
    });
    await fixture.reopen();
    expectNothing(fixture);
  });

  test('lost layers are put back from their blobs', async () => {
    using fixture = await createImageFixture();
    await load(fixture, dockerArchive([{ layers: [A, B], tags: ['x:1'] }]));
    const { chainId, sizeBytes } = fixture.images.get('x:1');
    if (chainId) await fixture.snapshotter.removeLayer(chainId);
    const again = await fixture.reopen();
    expect(again.get('x:1').sizeBytes).toBe(sizeBytes);
    expect(fixture.snapshotter.layers()).toHaveLength(2);
  });

  test('an image without its config is dropped, with its names', async () => {
    using fixture = await createImageFixture();
    const [loaded] = await load(fixture, dockerArchive([{ layers: [A], tags: ['x:1'] }]));
    if (loaded) await fixture.content.delete(loaded.id);
    const again = await fixture.reopen();
    expect(again.list({ all: true })).toEqual([]);
    expect(() => again.get('x:1')).toThrow('No such image: x:1');
  });

  test('images and names survive a restart', async () => {
    using fixture = await createImageFixture();
    await load(fixture, dockerArchive([{ layers: [A, B], tags: ['x:1', 'y:2'] }]));
    const before = fixture.images.list();
    expect((await fixture.reopen()).list()).toEqual(before);
  });
});
