import { describe, expect, spyOn, test } from 'bun:test';
import { createLogger, unavailable } from '#base';
import { digestOf } from '#oci';
import type { MetadataStore } from '#store';
import { createMemoryMetadataStore } from '#store/testing';
import type { ImageServiceOptions } from './service.ts';
import { configFor, createImageFixture, dockerArchive, layerOf, streamOf, tarOf } from './testing/index.ts';

const A = await layerOf({ a: 'layer a' });
const B = await layerOf({ b: 'layer b!' });

/** The archive of one image, and the image's ID. */
async function archiveOf(tag: string, layers = [A], ...tags: string[]) {
  const config = configFor(layers, { comment: tag });
  const tar = await tarOf(dockerArchive([{ layers, tags: [tag, ...tags], config }]));
  return { load: () => streamOf(tar), id: digestOf(JSON.stringify(config)) };
}

describe('a start while a config cannot be read', () => {
  /** A fixture with the image `x:1`, opened again while descriptors were short. */
  async function openShort(tags: readonly string[] = [], options: Partial<ImageServiceOptions> = {}) {
    const fixture = await createImageFixture(options);
    const { load, id } = await archiveOf('x:1', [A], ...tags);
    await fixture.images.load(load());
    const fault = spyOn(fixture.content, 'readAll').mockRejectedValue(
      unavailable('read blob: EMFILE: too many open files'),
    );
    const blobs = fixture.content.list();
    const images = await fixture.reopen();
    return { fixture, load, id, fault, images, blobs };
  }

  test('costs no image: the next start has it with its name, blobs and layers', async () => {
    const { fixture, id, fault, images, blobs } = await openShort();
    using _fixture = fixture;
    expect(images.list()).toEqual([]);
    expect(fixture.content.list()).toEqual(blobs);
    expect(fixture.snapshotter.layers()).toHaveLength(1);
    fault.mockRestore();
    expect((await fixture.reopen()).get('x:1').id).toBe(id);
  });

  test('nothing is collected meanwhile, not even what another image leaves', async () => {
    const { fixture, id, fault, images } = await openShort();
    using _fixture = fixture;
    // Shares the lower layer.
    await images.load((await archiveOf('y:1', [A, B])).load());
    await images.remove('y:1');
    await images.collectGarbage();
    expect(fixture.snapshotter.layers()).toHaveLength(2);
    fault.mockRestore();
    await images.collectGarbage();
    expect(images.get('x:1').id).toBe(id);
    expect(fixture.snapshotter.layers()).toHaveLength(1);
  });

  test('loading the image again brings it back with its names', async () => {
    const { fixture, load, id, images } = await openShort();
    using _fixture = fixture;
    await images.load(load());
    expect(images.get('x:1').id).toBe(id);
    expect(images.list()).toHaveLength(1);
  });

  test.each([
    ['its name', () => 'x:1'],
    ['its ID', (id: string) => id],
    ['the start of its ID', (id: string) => id.slice('sha256:'.length, 19)],
  ])('removing it by %s ends that', async (_, nameOf) => {
    const { fixture, id, images } = await openShort();
    using _fixture = fixture;
    await images.load((await archiveOf('y:1', [A, B])).load());
    await images.remove('y:1');
    const records = await images.remove(nameOf(id));
    expect(records.slice(0, 2)).toEqual([{ untagged: 'x:1' }, { deleted: id }]);
    expect(records.filter((record) => 'deleted' in record)).toHaveLength(3);
    expect(fixture.events().slice(-2)).toEqual([`untag ${id}`, `delete ${id}`]);
    expect(fixture.content.list()).toEqual([]);
    expect(fixture.snapshotter.layers()).toEqual([]);
    expect((await fixture.reopen()).list()).toEqual([]);
    await expect(images.remove('x:1')).rejects.toThrow('No such image: x:1');
  });

  test('one of its several names can be removed alone', async () => {
    const { fixture, id, images } = await openShort(['x:2']);
    using _fixture = fixture;
    expect(await images.remove('x:2')).toEqual([{ untagged: 'x:2' }]);
    expect(fixture.snapshotter.layers()).toHaveLength(1);
    expect(await images.remove('x:1')).toContainEqual({ deleted: id });
    expect(fixture.snapshotter.layers()).toEqual([]);
  });

  test('it is not removed while a container uses it', async () => {
    const users = { usersOf: () => [{ containerId: 'c'.repeat(64), running: true }] };
    const { fixture, id, images } = await openShort([], { users });
    using _fixture = fixture;
    await expect(images.remove(id, { force: true })).rejects.toThrow('is being used by running container');
    expect(fixture.snapshotter.layers()).toHaveLength(1);
  });

  test('a name that leads to it can be given to another image', async () => {
    const { fixture, id, fault, images } = await openShort();
    using _fixture = fixture;
    const other = await archiveOf('y:1');
    await images.load(other.load());
    images.tag('y:1', 'x:1');
    fault.mockRestore();
    await images.collectGarbage();
    expect(images.get('x:1').id).toBe(other.id);
    expect(images.get(id).tags).toEqual([]);
  });
});

describe('a start that finds the row of an image damaged', () => {
  /** A fixture with the image `x:1`, whose row was damaged before two more starts. */
  async function openDamaged() {
    const lines: Record<string, string>[] = [];
    const logger = createLogger({ write: (line) => lines.push(JSON.parse(line)) });
    const fixture = await createImageFixture({ logger });
    const { load, id } = await archiveOf('x:1');
    await fixture.images.load(load());
    const blobs = fixture.content.list();
    fixture.metadata.collection<unknown>('images', (row) => row).put(id, { layers: 'none' });
    await fixture.reopen();
    // The store tells of damage to the start that finds it only.
    (fixture.metadata.quarantined as unknown[]).length = 0;
    return { fixture, load, id, blobs, lines, images: await fixture.reopen() };
  }

  test('costs it neither blobs nor layers, at no later start either, and says so', async () => {
    const { fixture, id, blobs, lines, images } = await openDamaged();
    using _fixture = fixture;
    expect(images.list()).toEqual([]);
    await images.collectGarbage();
    expect(fixture.content.list()).toEqual(blobs);
    expect(fixture.snapshotter.layers()).toHaveLength(1);
    const told = lines.filter(({ level, msg }) => level === 'error' && msg?.includes('row is lost'));
    expect(told.map(({ image }) => image)).toEqual([id, id]);
    expect(told[0]?.['reason']).toContain('layers');
  });

  test('nor its names: loading it again brings it back, and collecting goes on', async () => {
    const { fixture, id, images } = await openDamaged();
    using _fixture = fixture;
    const again = configFor([A], { comment: 'x:1' });
    await images.load(streamOf(await tarOf(dockerArchive([{ layers: [A], config: again }]))));
    expect(images.get('x:1').id).toBe(id);
    await images.load((await archiveOf('y:1', [A, B])).load());
    await images.remove('y:1');
    expect(fixture.snapshotter.layers()).toHaveLength(1);
    expect((await fixture.reopen()).get('x:1').id).toBe(id);
  });

  test('removing it by its name ends that', async () => {
    const { fixture, id, images } = await openDamaged();
    using _fixture = fixture;
    expect(await images.remove('x:1')).toMatchObject([{ untagged: 'x:1' }, { deleted: id }, {}]);
    expect(fixture.content.list()).toEqual([]);
    expect(fixture.snapshotter.layers()).toEqual([]);
  });
});

/** A store whose writes fail: within a transaction its commit does, as with the real one on a full disk. */
function fullStore(metadata: MetadataStore): MetadataStore {
  let isInTransaction = false;
  const fail = () => {
    if (!isInTransaction) throw new Error('database or disk is full');
  };
  return {
    ...metadata,
    collection(name, decode) {
      const rows = metadata.collection(name, decode);
      const put: typeof rows.put = (key, value) => {
        fail();
        rows.put(key, value);
      };
      const remove: typeof rows.delete = (key) => {
        fail();
        return rows.delete(key);
      };
      return { ...rows, put, delete: remove };
    },
    transaction: (action) =>
      metadata.transaction(() => {
        isInTransaction = true;
        try {
          return action();
        } finally {
          isInTransaction = false;
          fail();
        }
      }),
  };
}

describe('a start while nothing can be stored', () => {
  test('goes on with a damaged row, which the next one finds again', async () => {
    using fixture = await createImageFixture();
    const { load, id } = await archiveOf('x:1');
    await fixture.images.load(load());
    fixture.metadata.collection<unknown>('images', (row) => row).put(id, { layers: 'none' });
    for (const metadata of [fullStore(fixture.metadata), fixture.metadata]) {
      const images = await fixture.reopen({ metadata });
      expect(images.list()).toEqual([]);
      await images.collectGarbage();
      expect(fixture.snapshotter.layers()).toHaveLength(1);
    }
  });

  test('goes on with an image whose config is lost, and its name', async () => {
    using fixture = await createImageFixture();
    const { load, id } = await archiveOf('x:1');
    await fixture.images.load(load());
    await fixture.content.delete(id);
    const images = await fixture.reopen({ metadata: fullStore(fixture.metadata) });
    expect(images.list()).toEqual([]);
    expect(() => images.get('x:1')).toThrow('No such image');
  });

  test('goes on with a lost row of an image that is there again', async () => {
    using fixture = await createImageFixture();
    const { load, id } = await archiveOf('x:1');
    await fixture.images.load(load());
    fixture.metadata.collection<unknown>('lost_images', (row) => row).put(id, { reason: 'old' });
    const images = await fixture.reopen({ metadata: fullStore(fixture.metadata) });
    expect(images.get('x:1').id).toBe(id);
    await images.collectGarbage();
    expect(fixture.snapshotter.layers()).toHaveLength(1);
  });
});

test('a database that was made anew costs no image its blobs and layers, at later starts neither', async () => {
  using fixture = await createImageFixture();
  const { load, id } = await archiveOf('x:1');
  await fixture.images.load(load());
  const blobs = fixture.content.list();
  const metadata = createMemoryMetadataStore();
  const rebuilt = await fixture.reopen({ metadata: { ...metadata, isRebuilt: true } });
  await rebuilt.collectGarbage();
  const images = await fixture.reopen({ metadata });
  expect(fixture.content.list()).toEqual(blobs);
  expect(fixture.snapshotter.layers()).toHaveLength(1);
  await images.remove(id);
  expect(fixture.content.list()).toEqual([]);
  expect(fixture.snapshotter.layers()).toEqual([]);
});
