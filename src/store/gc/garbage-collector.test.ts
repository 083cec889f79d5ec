import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeTarHeader, silentLogger } from '#base';
import { type Digest, digestOf } from '#oci';
import { createFakeSnapshotter, type FakeSnapshotter } from '../testing/fake-snapshotter.ts';
import { createTemporaryContentStore } from '../testing/temporary-content-store.ts';
import { createGarbageCollector, type GarbageCollector } from './garbage-collector.ts';

let dir = '';
let blobPath = '';
let content: ReturnType<typeof createTemporaryContentStore>;
let snapshotter: FakeSnapshotter;
let collector: GarbageCollector;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gantry-gc-'));
  blobPath = join(dir, 'layer.tar');
  writeFileSync(blobPath, encodeTarHeader({ path: 'f' }));
  content = createTemporaryContentStore();
  snapshotter = createFakeSnapshotter();
  collector = createGarbageCollector({ content, snapshotter, logger: silentLogger });
});
afterEach(() => {
  content[Symbol.dispose]();
  rmSync(dir, { recursive: true, force: true });
});

async function layer(name: string, parent?: Digest): Promise<Digest> {
  const chainId = digestOf(name);
  await snapshotter.applyLayer({ chainId, parent, blobPath });
  return chainId;
}
const digests = (): Digest[] => content.list().map(({ digest }) => digest);

describe('sweep', () => {
  test('keeps what is reachable, deletes the rest and says what', async () => {
    const kept = await content.write('kept');
    const garbage = await content.write('garbage');
    const base = await layer('base');
    const top = await layer('top', base);
    const other = await layer('other', base);
    const loose = await layer('loose');
    const result = await collector.sweep(() => ({ blobs: [kept.digest], layers: [top] }));
    expect(result.blobs).toEqual([garbage]);
    expect([...result.layers].sort()).toEqual([loose, other].sort());
    expect(digests()).toEqual([kept.digest]);
    expect(snapshotter.layers().sort()).toEqual([base, top].sort());
  });

  test('a whole unreachable chain goes in one sweep', async () => {
    const a = await layer('a');
    const b = await layer('b', a);
    await layer('c', b);
    await collector.sweep(() => ({ blobs: [], layers: [] }));
    expect(snapshotter.layers()).toEqual([]);
  });

  test('layers under a container stay', async () => {
    const base = await layer('base');
    await snapshotter.createSnapshot('c1', await layer('top', base));
    expect((await collector.sweep(() => ({ blobs: [], layers: [] }))).layers).toEqual([]);
  });

  test('leases protect until they are disposed', async () => {
    const { digest } = await content.write('pulling');
    const chainId = await layer('pulled');
    const lease = collector.createLease('pull');
    lease.protect(digest, chainId);
    await collector.sweep(() => ({ blobs: [], layers: [] }));
    expect(digests()).toEqual([digest]);
    expect(snapshotter.layers()).toEqual([chainId]);
    lease[Symbol.dispose]();
    await collector.sweep(() => ({ blobs: [], layers: [] }));
    expect(digests()).toEqual([]);
    expect(snapshotter.layers()).toEqual([]);
  });

  test('a lease taken while the sweep runs, even a short one, is honoured', async () => {
    const blobs = await Promise.all(Array.from({ length: 20 }, (_, index) => content.write(`blob ${index}`)));
    const sweep = collector.sweep(() => ({ blobs: [], layers: [] }));
    await Promise.resolve();
    await Promise.resolve();
    using lease = collector.createLease();
    const present = blobs
      .map(({ digest }) => digest)
      .filter((digest) => {
        lease.protect(digest);
        return content.stat(digest) !== undefined;
      });
    lease[Symbol.dispose]();
    await sweep;
    expect(present.length).toBeGreaterThan(0);
    expect(digests().sort()).toEqual(present.sort());
  });

  test('what is written after the sweep began is not its business', async () => {
    await content.write('old');
    const sweep = collector.sweep(() => ({ blobs: [], layers: [] }));
    await Promise.resolve();
    await Promise.resolve();
    const fresh = await content.write('fresh');
    await sweep;
    expect(digests()).toEqual([fresh.digest]);
  });

  test('property: random graphs with pulls and deletes racing the sweep keep every reachable blob', async () => {
    let state = 42;
    const random = (limit: number): number => {
      state = (state * 1103515245 + 12345) % 2147483648;
      return state % limit;
    };
    const images = new Map<string, Digest[]>();
    const pull = async (name: string): Promise<void> => {
      using lease = collector.createLease();
      const wanted = Array.from({ length: 3 }, () => `blob ${random(12)}`);
      for (const text of wanted) {
        lease.protect(digestOf(text));
        if (content.stat(digestOf(text)) === undefined) await content.write(text);
      }
      images.set(name, wanted.map(digestOf));
    };
    const roots = () => ({ blobs: [...images.values()].flat(), layers: [] });
    for (let round = 0; round < 60; round += 1) {
      if (random(3) === 0) images.delete(`image ${random(8)}`);
      const pulls = Array.from({ length: 3 }, () => pull(`image ${random(8)}`));
      await Promise.all([...pulls, collector.sweep(roots), collector.sweep(roots)]);
      for (const digest of roots().blobs) expect(content.stat(digest)).toBeDefined();
    }
    await collector.sweep(roots);
    expect(new Set(digests())).toEqual(new Set(roots().blobs));
  });
});

test('`createLease`: an id is taken once', () => {
  using _lease = collector.createLease('x');
  expect(() => collector.createLease('x')).toThrow('exists already');
});
