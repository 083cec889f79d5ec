import { describe, expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { readTar } from '#base';
import { digestHex, digestOf, MEDIA_TYPE } from '#oci';
import {
  configFor,
  createImageFixture,
  dockerArchive,
  type ImageFixture,
  LayoutBuilder,
  layerOf,
  named,
  streamOf,
  tarOf,
} from './testing/index.ts';

const A = await layerOf({ a: 'layer a' });
const B = await layerOf({ b: 'layer b', big: 'x'.repeat(400_000) });

async function saved(fixture: ImageFixture, ...names: string[]): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of fixture.images.save(names)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function membersOf(archive: Uint8Array): Promise<Map<string, Uint8Array>> {
  const members = new Map<string, Uint8Array>();
  for await (const entry of readTar([archive])) members.set(entry.header.path, await entry.bytes(1e9));
  return members;
}

const json = (members: Map<string, Uint8Array>, path: string) =>
  JSON.parse(Buffer.from(members.get(path) ?? []).toString());

describe('save', () => {
  test('a blob that was damaged since ends the archive with an error', async () => {
    using fixture = await createImageFixture();
    await fixture.images.load(streamOf(await tarOf(dockerArchive([{ layers: [A, B], tags: ['x:1'] }]))));
    const path = fixture.content.path(digestOf(B));
    const bytes = readFileSync(path);
    bytes.fill('y', 5000, 5001);
    writeFileSync(path, bytes);
    await expect(saved(fixture, 'x:1')).rejects.toThrow(`blob ${digestOf(B)} is damaged`);
  });

  test('an image keeps its parent if that comes along', async () => {
    using fixture = await createImageFixture();
    await fixture.images.load(streamOf(await tarOf(dockerArchive([{ layers: [A], tags: ['base:1'] }]))));
    const base = fixture.images.get('base:1').id;
    const config = (image = configFor([])) => image;
    await fixture.images.createFromLayer({ base, layerTar: streamOf(B), config, reference: 'made:1' });
    for (const [names, parent] of [
      [['base:1', 'made:1'], base],
      [['made:1'], undefined],
    ] as const) {
      using other = await createImageFixture();
      await other.images.load(streamOf(await saved(fixture, ...names)));
      expect(other.images.get('made:1').parent).toBe(parent);
    }
  });

  test('writes a docker archive and an OCI layout over the same blobs', async () => {
    using fixture = await createImageFixture();
    await fixture.images.load(
      streamOf(await tarOf(dockerArchive([{ layers: [A, B], tags: ['x:1', 'me/y:2'] }]))),
    );
    const id = digestOf(JSON.stringify(configFor([A, B])));
    const members = await membersOf(await saved(fixture, 'x:1', 'me/y:2'));
    expect(json(members, 'oci-layout')).toEqual({ imageLayoutVersion: '1.0.0' });
    const [item] = json(members, 'manifest.json');
    expect(item).toMatchObject({
      Config: `blobs/sha256/${digestHex(id)}`,
      RepoTags: ['x:1', 'me/y:2'],
      Layers: [A, B].map((layer) => `blobs/sha256/${digestHex(digestOf(layer))}`),
    });
    expect(members.get(item.Layers[1])).toEqual(B);
    expect(json(members, 'repositories')).toEqual({
      x: { 1: digestHex(digestOf(B)) },
      'me/y': { 2: digestHex(digestOf(B)) },
    });
    const index = json(members, 'index.json');
    expect(index.mediaType).toBe(MEDIA_TYPE.ociIndex);
    expect(index.manifests.map(({ annotations }: { annotations: object }) => annotations)).toEqual([
      { 'io.containerd.image.name': 'docker.io/library/x:1', 'org.opencontainers.image.ref.name': '1' },
      { 'io.containerd.image.name': 'docker.io/me/y:2', 'org.opencontainers.image.ref.name': '2' },
    ]);
    const manifest = json(members, `blobs/sha256/${digestHex(index.manifests[0].digest)}`);
    expect(manifest.config.digest).toBe(id);
    for (const [path, bytes] of members) {
      if (/^blobs\/sha256\/./.test(path)) expect(path.slice(-64)).toBe(digestHex(digestOf(bytes)));
    }
  });

  test('is the same bytes each time, and each layer comes once', async () => {
    using fixture = await createImageFixture();
    const archive = dockerArchive([
      { layers: [B], tags: ['x:1'] },
      { layers: [B, A], tags: ['y:1'] },
    ]);
    await fixture.images.load(streamOf(await tarOf(archive)));
    const one = await saved(fixture, 'x:1', 'y:1');
    expect(digestOf(await saved(fixture, 'x:1', 'y:1'))).toBe(digestOf(one));
    expect(one.length).toBeLessThan(2 * B.length);
  });

  test('what is saved loads again as the same images', async () => {
    using fixture = await createImageFixture();
    const archive = dockerArchive([{ layers: [A, B], tags: ['x:1'] }, { layers: [A] }]);
    const [first, second] = await fixture.images.load(streamOf(await tarOf(archive)));
    const bytes = await saved(fixture, 'x:1', second?.id ?? '');
    using other = await createImageFixture();
    expect(await other.images.load(streamOf(bytes))).toEqual([first, second].flatMap((image) => image ?? []));
    expect(digestOf(await saved(other, 'x:1', second?.id ?? ''))).toBe(digestOf(bytes));
  });

  test('keeps the manifest and the compressed layers an image came with', async () => {
    using fixture = await createImageFixture();
    const layout = new LayoutBuilder();
    const manifest = layout.addImage([A], { blobs: [gzipSync(A)], layerType: MEDIA_TYPE.ociLayerTarGzip });
    await fixture.images.load(
      streamOf(await tarOf(layout.members([named(manifest, 'docker.io/library/x:1')]))),
    );
    const bytes = await saved(fixture, 'x:1');
    const index = json(await membersOf(bytes), 'index.json');
    expect(index.manifests[0].digest).toBe(manifest.digest);
    using other = await createImageFixture();
    await other.images.load(streamOf(bytes));
    expect(other.images.get('x:1').sizeBytes).toBe(7);
  });

  test('a repository alone means all its tags; an ID has none', async () => {
    using fixture = await createImageFixture();
    const archive = dockerArchive([
      { layers: [A], tags: ['x:1'] },
      { layers: [B], tags: ['x:2', 'y:1'] },
    ]);
    const [, second] = await fixture.images.load(streamOf(await tarOf(archive)));
    const tags = async (name: string) =>
      json(await membersOf(await saved(fixture, name)), 'manifest.json').map(
        (item: { RepoTags: unknown }) => item.RepoTags,
      );
    expect(await tags('x')).toEqual([['x:1'], ['x:2']]);
    expect(await tags('x:2')).toEqual([['x:2']]);
    expect(await tags(second?.id ?? '')).toEqual([null]);
    expect(await tags((second?.id ?? '').slice(7, 19))).toEqual([null]);
  });

  test('an unknown image is told before the first byte', async () => {
    using fixture = await createImageFixture();
    expect(() => fixture.images.save(['nope'])).toThrow(
      expect.objectContaining({ code: 'not_found', message: 'No such image: nope' }),
    );
    expect(() => fixture.images.save(['a b'])).toThrow('invalid reference format');
  });

  test('what is being saved is not removed under it', async () => {
    using fixture = await createImageFixture();
    await fixture.images.load(streamOf(await tarOf(dockerArchive([{ layers: [A, B], tags: ['x:1'] }]))));
    const stream = fixture.images.save(['x:1']);
    await fixture.images.remove('x:1');
    const chunks: Uint8Array[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect((await membersOf(Buffer.concat(chunks))).get(`blobs/sha256/${digestHex(digestOf(B))}`)).toEqual(B);
    await fixture.images.collectGarbage();
    expect(fixture.content.list()).toEqual([]);
  });
});
