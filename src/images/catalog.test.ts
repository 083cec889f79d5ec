import { describe, expect, spyOn, test } from 'bun:test';
import { unavailable } from '#base';
import { digestOf } from '#oci';
import { configFor, createImageFixture, dockerArchive, layerOf, streamOf, tarOf } from './testing/index.ts';

const A = await layerOf({ a: 'layer a' });
const B = await layerOf({ b: 'layer b!' });

/** The archive of one image, and the image's ID. */
async function archiveOf(tag: string, layers = [A]) {
  const config = configFor(layers, { comment: tag });
  const tar = await tarOf(dockerArchive([{ layers, tags: [tag], config }]));
  return { load: () => streamOf(tar), id: digestOf(JSON.stringify(config)) };
}

describe('a start while a config cannot be read', () => {
  /** A fixture with the image `x:1`, opened again while descriptors were short. */
  async function openShort() {
    const fixture = await createImageFixture();
    const { load, id } = await archiveOf('x:1');
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
});
