import { describe, expect, test } from 'bun:test';
import { digestOf, type Image } from '#oci';
import {
  configFor,
  createImageFixture,
  dockerArchive,
  type ImageFixture,
  layerOf,
  streamOf,
  tarOf,
} from './testing/index.ts';

const A = await layerOf({ a: 'layer a' });
const B = await layerOf({ b: 'layer b!' });

async function loadImage(fixture: ImageFixture, tags: string[], extra: Partial<Image> = {}, layers = [A]) {
  const config = configFor(layers, extra);
  await fixture.images.load(streamOf(await tarOf(dockerArchive([{ layers, tags, config }]))));
  return digestOf(JSON.stringify(config));
}

describe('get', () => {
  test('finds by ID, ID prefix, familiar and canonical name', async () => {
    using fixture = await createImageFixture();
    const id = await loadImage(fixture, ['busybox:latest', 'host:5000/me/app:1']);
    const names = [
      id,
      id.slice(7),
      id.slice(0, 20),
      id.slice(7, 19),
      'busybox',
      'busybox:latest',
      'docker.io/library/busybox',
      'host:5000/me/app:1',
    ];
    for (const name of names) expect(fixture.images.get(name).id).toBe(id);
  });

  const missing: readonly (readonly [name: string, text: string])[] = [
    ['nope', 'No such image: nope:latest'],
    ['me/nope:1', 'No such image: me/nope:1'],
    [`sha256:${'0'.repeat(64)}`, `No such image: sha256:${'0'.repeat(64)}`],
    ['0'.repeat(64), `No such image: sha256:${'0'.repeat(64)}`],
  ];
  for (const [name, text] of missing) {
    test(`"${name}" is not found`, async () => {
      using fixture = await createImageFixture();
      expect(() => fixture.images.get(name)).toThrow(
        expect.objectContaining({ code: 'not_found', message: text }),
      );
    });
  }

  test('a bad reference is the caller’s mistake', async () => {
    using fixture = await createImageFixture();
    expect(() => fixture.images.get('a b')).toThrow(
      expect.objectContaining({ code: 'invalid_argument', message: 'invalid reference format' }),
    );
  });

  test('an ambiguous prefix names nothing', async () => {
    using fixture = await createImageFixture();
    const ids: string[] = [];
    const prefixes = () => ids.map((id) => id.slice(7, 8));
    for (let count = 0; new Set(prefixes()).size === ids.length; count += 1) {
      ids.push(await loadImage(fixture, [], { comment: `image ${count}` }));
    }
    const prefix = prefixes().find((one, index) => prefixes().indexOf(one) !== index) ?? '';
    expect(() => fixture.images.get(prefix)).toThrow(`No such image: ${prefix}:latest`);
    expect(() => fixture.images.save([prefix])).toThrow('ambiguous digest string');
  });
});

describe('list', () => {
  test('newest first, filtered', async () => {
    using fixture = await createImageFixture();
    const { images } = fixture;
    const old = await loadImage(fixture, ['old:1'], {
      created: '2020-01-01T00:00:00Z',
      config: { Labels: { a: '1', b: '' } },
    });
    const mid = await loadImage(fixture, [], { created: '2021-01-01T00:00:00Z' });
    const fresh = await loadImage(fixture, ['me/new:1', 'new:2'], {
      created: '2022-01-01T00:00:00Z',
      config: { Labels: { a: '2' } },
    });
    const ids = (filters: Parameters<typeof images.list>[0]) => images.list(filters).map(({ id }) => id);
    expect(ids({})).toEqual([fresh, mid, old]);
    expect(ids({ reference: ['old'] })).toEqual([old]);
    expect(ids({ reference: ['*/*'] })).toEqual([fresh]);
    expect(ids({ reference: ['o*:1', 'new:*'] })).toEqual([fresh, old]);
    expect(images.list({ reference: ['*/*'] }).map(({ tags }) => tags)).toEqual([['docker.io/me/new:1']]);
    expect(ids({ dangling: true })).toEqual([mid]);
    expect(ids({ dangling: false })).toEqual([fresh, old]);
    expect(ids({ label: ['a'] })).toEqual([fresh, old]);
    expect(ids({ label: ['a=1', 'b'] })).toEqual([old]);
    expect(ids({ notLabel: ['a=1'] })).toEqual([fresh, mid]);
    expect(ids({ before: 'me/new:1' })).toEqual([mid, old]);
    expect(ids({ since: ['old:1'] })).toEqual([fresh, mid]);
    expect(ids({ untilMs: Date.parse('2020-06-01') })).toEqual([old]);
    expect(() => images.list({ before: 'nope' })).toThrow('No such image: nope:latest');
    expect(() => images.list({ reference: ['['] })).toThrow('syntax error in pattern');
  });
});

describe('history', () => {
  test('newest first, with sizes of the layers and the image on top', async () => {
    using fixture = await createImageFixture();
    const history = [
      { created: '2026-01-01T00:00:00.9Z', created_by: 'ADD a' },
      { created: '2026-01-01T00:00:01Z', created_by: 'CMD', empty_layer: true },
      { created_by: 'ADD b', comment: 'note' },
    ];
    const id = await loadImage(fixture, ['x:1'], { history }, [A, B]);
    expect(fixture.images.history('x:1')).toEqual([
      { id, createdS: 0, createdBy: 'ADD b', comment: 'note', sizeBytes: 8, tags: ['x:1'] },
      { id: '<missing>', createdS: 1767225601, createdBy: 'CMD', comment: '', sizeBytes: 0, tags: [] },
      { id: '<missing>', createdS: 1767225600, createdBy: 'ADD a', comment: '', sizeBytes: 7, tags: [] },
    ]);
  });

  test('knows the ancestors that are here', async () => {
    using fixture = await createImageFixture();
    const base = await loadImage(fixture, ['base:1']);
    const child = await fixture.images.createFromLayer({
      base,
      layerTar: streamOf(B),
      config: (image) => ({ ...(image ?? configFor([])), created: '2026-05-05T00:00:00Z', comment: 'done' }),
    });
    const ids = fixture.images
      .history(child.id)
      .map(({ id, comment, sizeBytes }) => ({ id, comment, sizeBytes }));
    expect(ids).toEqual([
      { id: child.id, comment: 'done', sizeBytes: 8 },
      { id: base, comment: '', sizeBytes: 7 },
    ]);
  });
});

describe('tag', () => {
  test('adds a name and tells', async () => {
    using fixture = await createImageFixture();
    const id = await loadImage(fixture, ['x:1']);
    fixture.images.tag('x:1', 'me/y');
    expect(fixture.images.get('me/y:latest').id).toBe(id);
    expect(fixture.images.get(id).lastTagTime).toBeString();
    expect(fixture.events().at(-1)).toBe('tag me/y:latest');
  });

  test('refuses what can be no name', async () => {
    using fixture = await createImageFixture();
    const id = await loadImage(fixture, ['x:1']);
    expect(() => fixture.images.tag('x:1', 'A')).toThrow('repository name (library/A) must be lowercase');
    expect(() => fixture.images.tag('x:1', `y@${id}`)).toThrow(
      'refusing to create a tag with a digest reference',
    );
    expect(() => fixture.images.tag('x:1', 'sha256:1')).toThrow('refusing to create an ambiguous tag');
    expect(() => fixture.images.tag('nope', 'y')).toThrow('No such image: nope:latest');
  });
});

describe('remove', () => {
  const user = (running: boolean) => ({ usersOf: () => [{ containerId: 'c'.repeat(64), running }] });

  test('the last name takes the image along', async () => {
    using fixture = await createImageFixture();
    const id = await loadImage(fixture, ['x:1'], {}, [A, B]);
    const chain = fixture.snapshotter.layers();
    expect(await fixture.images.remove('x:1')).toEqual([
      { untagged: 'x:1' },
      { deleted: id },
      { deleted: chain[1] ?? '' },
      { deleted: chain[0] ?? '' },
    ]);
    expect(fixture.content.list()).toEqual([]);
    expect(fixture.events().slice(-2)).toEqual([`untag ${id}`, `delete ${id}`]);
  });

  test('one name of several is only untagged', async () => {
    using fixture = await createImageFixture();
    await loadImage(fixture, ['x:1', 'x:2']);
    expect(await fixture.images.remove('x:1')).toEqual([{ untagged: 'x:1' }]);
    expect(fixture.images.get('x:2').tags).toEqual(['docker.io/library/x:2']);
  });

  test('an ID with several names must be forced', async () => {
    using fixture = await createImageFixture();
    const id = await loadImage(fixture, ['x:1', 'y:1']);
    const short = id.slice(7, 19);
    await expect(fixture.images.remove(short)).rejects.toThrow(
      `conflict: unable to delete ${short} (must be forced) - image is referenced in multiple repositories`,
    );
    const records = await fixture.images.remove(short, { force: true });
    expect(records.slice(0, 3)).toEqual([{ untagged: 'x:1' }, { untagged: 'y:1' }, { deleted: id }]);
  });

  test('an ID with one name takes it along', async () => {
    using fixture = await createImageFixture();
    const id = await loadImage(fixture, ['x:1']);
    expect((await fixture.images.remove(id)).slice(0, 2)).toEqual([{ untagged: 'x:1' }, { deleted: id }]);
  });

  test('a stopped container keeps it, against less than force', async () => {
    using fixture = await createImageFixture({ users: user(false) });
    const id = await loadImage(fixture, ['x:1']);
    const short = id.slice(7, 19);
    await expect(fixture.images.remove('x:1')).rejects.toThrow(
      `conflict: unable to remove repository reference "x:1" (must force) - container cccccccccccc is using its referenced image ${short}`,
    );
    await expect(fixture.images.remove(id)).rejects.toThrow(
      `conflict: unable to delete ${short} (must be forced) - image is being used by stopped container cccccccccccc`,
    );
    await fixture.snapshotter.createSnapshot('c', fixture.images.get(id).chainId);
    expect(await fixture.images.remove('x:1', { force: true })).toEqual([
      { untagged: 'x:1' },
      { deleted: id },
    ]);
    expect(fixture.snapshotter.layers()).toHaveLength(1);
    await fixture.snapshotter.removeSnapshot('c');
    expect(await fixture.images.collectGarbage()).toBe(7);
    expect(fixture.snapshotter.layers()).toEqual([]);
  });

  test('a running container keeps it against force', async () => {
    using fixture = await createImageFixture({ users: user(true) });
    const id = await loadImage(fixture, ['x:1']);
    const text = `conflict: unable to delete ${id.slice(7, 19)} (cannot be forced) - image is being used by running container cccccccccccc`;
    await expect(fixture.images.remove(id, { force: true })).rejects.toThrow(text);
    // By name the name goes, and the image stays without a word.
    expect(await fixture.images.remove('x:1', { force: true })).toEqual([{ untagged: 'x:1' }]);
    expect(fixture.images.get(id).tags).toEqual([]);
  });

  test('children keep their parent; the last child takes an unnamed parent along', async () => {
    using fixture = await createImageFixture();
    const base = await loadImage(fixture, []);
    const child = await fixture.images.createFromLayer({
      base,
      layerTar: streamOf(B),
      config: (image) => image ?? configFor([]),
      reference: 'child:1',
    });
    await expect(fixture.images.remove(base, { force: true })).rejects.toThrow(
      `conflict: unable to delete ${base.slice(7, 19)} (cannot be forced) - image has dependent child images`,
    );
    const deleted = (await fixture.images.remove('child:1')).flatMap((record) => record.deleted ?? []);
    expect(deleted).toContain(child.id);
    expect(deleted).toContain(base);
    expect(fixture.content.list()).toEqual([]);
  });

  test('layers that another image shares stay', async () => {
    using fixture = await createImageFixture();
    await loadImage(fixture, ['x:1'], {}, [A]);
    await loadImage(fixture, ['y:1'], {}, [A, B]);
    await fixture.images.remove('y:1');
    expect(fixture.snapshotter.layers()).toEqual([digestOf(A)]);
    expect(fixture.images.get('x:1').sizeBytes).toBe(7);
    expect(fixture.content.list()).toHaveLength(2);
  });

  test('an unknown image', async () => {
    using fixture = await createImageFixture();
    await expect(fixture.images.remove('nope')).rejects.toThrow('No such image: nope:latest');
  });
});

describe('prune', () => {
  test('takes dangling images, or with all every unused one', async () => {
    using fixture = await createImageFixture();
    const dangling = await loadImage(fixture, [], {}, [B]);
    const tagged = await loadImage(fixture, ['x:1', 'x:2']);
    const first = await fixture.images.prune();
    expect(first.deleted[0]).toEqual({ deleted: dangling });
    expect(first.reclaimedBytes).toBe(8);
    expect(fixture.images.list().map(({ id }) => id)).toEqual([tagged]);
    const second = await fixture.images.prune({ all: true });
    expect(second.deleted.slice(0, 3)).toEqual([
      { untagged: 'x:1' },
      { untagged: 'x:2' },
      { deleted: tagged },
    ]);
    expect(second.reclaimedBytes).toBe(7);
    expect(fixture.events().at(-1)).toBe('prune');
  });

  test('leaves what containers use and what filters spare', async () => {
    const used = new Set<string>();
    const users = { usersOf: (id: string) => (used.has(id) ? [{ containerId: 'c', running: false }] : []) };
    using fixture = await createImageFixture({ users });
    used.add(await loadImage(fixture, ['used:1'], { comment: 'used' }));
    await loadImage(fixture, ['keep:1'], { config: { Labels: { keep: '' } } });
    await loadImage(fixture, ['gone:1'], { comment: 'gone' });
    await fixture.images.prune({ all: true, filters: { notLabel: ['keep'] } });
    expect(
      fixture.images
        .list()
        .flatMap(({ tags }) => tags)
        .sort(),
    ).toEqual(['docker.io/library/keep:1', 'docker.io/library/used:1']);
  });
});

describe('importRootfs', () => {
  test('makes a one-layer image with the given changes', async () => {
    using fixture = await createImageFixture();
    const image = await fixture.images.importRootfs(streamOf(A), {
      reference: 'rootfs',
      message: 'note',
      changes: ['CMD ["sh"]', 'ENV A=b'],
      platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
    });
    expect(image.tags).toEqual(['docker.io/library/rootfs:latest']);
    expect(image.config).toMatchObject({
      architecture: 'arm64',
      variant: 'v8',
      os: 'linux',
      comment: 'note',
      config: { Cmd: ['sh'], Env: ['A=b'] },
      rootfs: { type: 'layers', diff_ids: [digestOf(A)] },
    });
    expect(fixture.images.history('rootfs')[0]).toMatchObject({
      comment: 'note',
      createdBy: '',
      sizeBytes: 7,
    });
    expect(fixture.events()).toEqual(['tag rootfs:latest', `import ${image.id}`]);
  });

  for (const tool of ['gzip', 'zstd', 'bzip2', 'xz']) {
    test.skipIf(Bun.which(tool) === null)(`unpacks ${tool}`, async () => {
      using fixture = await createImageFixture();
      const packed = Bun.spawnSync([tool, '-c'], { stdin: A }).stdout;
      const image = await fixture.images.importRootfs(streamOf(packed, 100));
      expect(image.config.rootfs.diff_ids).toEqual([digestOf(A)]);
    });
  }

  test('bad input leaves nothing', async () => {
    using fixture = await createImageFixture();
    await expect(fixture.images.importRootfs(streamOf(A), { changes: ['RUN x'] })).rejects.toThrow(
      'RUN is not a valid change command',
    );
    await expect(fixture.images.importRootfs(streamOf(A), { reference: 'A' })).rejects.toThrow(
      'must be lowercase',
    );
    await expect(fixture.images.importRootfs(streamOf(Buffer.from('BZh91AY nonsense')))).rejects.toThrow(
      'broken bzip2 data',
    );
    await expect(fixture.images.importRootfs(streamOf(Buffer.alloc(5000, 'x')))).rejects.toThrow();
    expect(fixture.content.list()).toEqual([]);
    expect(fixture.images.list({ all: true })).toEqual([]);
    expect(fixture.events()).toEqual([]);
  });
});

describe('createFromLayer', () => {
  test('adds a layer and a step of history to the base', async () => {
    using fixture = await createImageFixture();
    const base = await loadImage(fixture, ['base:1']);
    const image = await fixture.images.createFromLayer({
      base,
      layerTar: streamOf(B),
      config: (config) => ({ ...(config ?? configFor([])), author: 'me', config: { Cmd: ['new'] } }),
      reference: 'made:1',
    });
    expect(image.parent).toBe(base);
    expect(image.layerSizes).toEqual([7, 8]);
    expect(image.config.rootfs.diff_ids).toEqual([digestOf(A), digestOf(B)]);
    expect(image.config.history?.at(-1)).toEqual({ created: '2026-01-02T03:04:05Z', author: 'me' });
    expect(image.tags).toEqual(['docker.io/library/made:1']);
  });

  test('without a layer only the config changes', async () => {
    using fixture = await createImageFixture();
    const image = await fixture.images.createFromLayer({
      base: undefined,
      layerTar: undefined,
      config: () => ({ ...configFor([]), history: [] }),
    });
    expect(image.chainId).toBeUndefined();
    expect(image.config.history).toEqual([{ created: '2026-01-02T03:04:05Z', empty_layer: true }]);
  });

  test('a config that could not be read again is refused', async () => {
    using fixture = await createImageFixture();
    const config = () => ({ ...configFor([]), created: 'yesterday' });
    await expect(
      fixture.images.createFromLayer({ base: undefined, layerTar: streamOf(A), config }),
    ).rejects.toThrow('bad created');
    expect(fixture.content.list()).toEqual([]);
  });
});

describe('diskUsage', () => {
  test('counts each layer once and knows what is shared', async () => {
    using fixture = await createImageFixture();
    const one = await loadImage(fixture, ['x:1'], {}, [A]);
    const two = await loadImage(fixture, ['y:1'], {}, [A, B]);
    expect(fixture.images.diskUsage()).toEqual({
      layersBytes: 15,
      images: [
        { id: one, sharedBytes: 7 },
        { id: two, sharedBytes: 7 },
      ],
    });
  });
});
