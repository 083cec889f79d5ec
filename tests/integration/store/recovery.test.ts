import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '#base';
import { type Digest, digestHex, digestOf } from '#oci';
import { createOverlaySnapshotter, type MetadataStore, openMetadataStore, type Snapshotter } from '#store';
import { directory, file, layerTar } from '#store/testing';
import { createSys, MS_BIND } from '#sys';

const sys = createSys();
let dir = '';
let root = '';
let metadata: MetadataStore;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gantry-test-recovery-'));
  root = join(dir, 'overlay2');
  const openMetadata = (): MetadataStore =>
    openMetadataStore({ path: join(dir, 'metadata.db'), logger: silentLogger });
  // A database that is new counts as rebuilt; these tests want one from before.
  openMetadata()[Symbol.dispose]();
  metadata = openMetadata();
});
afterEach(() => {
  metadata[Symbol.dispose]();
  const mounts = sys.mounts.list().filter(({ target }) => target.startsWith(`${dir}/`));
  for (const { target } of mounts.reverse()) sys.mounts.unmount(target, { detach: true });
  rmSync(dir, { recursive: true, force: true });
});

const open = (store = metadata): Snapshotter =>
  createOverlaySnapshotter({ root, metadata: store, sys, logger: silentLogger });

async function apply(snapshotter: Snapshotter, name: string, parent?: Digest): Promise<Digest> {
  const blobPath = join(dir, 'blob.tar');
  writeFileSync(blobPath, await layerTar([directory('d'), file(`d/${name}`, name)]));
  const chainId = digestOf(name);
  await snapshotter.applyLayer({ chainId, parent, blobPath });
  return chainId;
}

describe('opening', () => {
  test('removes what has no row, and what a crash left in staging and trash', async () => {
    open();
    for (const name of [
      'staging/a/diff/x',
      'trash/b/x',
      `layers/${'0'.repeat(64)}/diff/x`,
      'snapshots/c/diff/x',
    ])
      mkdirSync(join(root, name), { recursive: true });
    const snapshotter = open();
    await snapshotter.settle();
    for (const name of ['staging', 'trash', 'layers', 'snapshots'])
      expect(readdirSync(join(root, name))).toEqual([]);
  });

  test('drops layers whose files are gone, and those above them; pulling again heals', async () => {
    const first = open();
    const base = await apply(first, 'base');
    const top = await apply(first, 'top', base);
    const other = await apply(first, 'other');
    rmSync(join(root, 'layers', digestHex(base)), { recursive: true });
    const second = open();
    expect(second.layers()).toEqual([other]);
    await apply(second, 'base');
    await apply(second, 'top', base);
    await second.createSnapshot('c', top);
    expect(readdirSync(join(second.mount('c'), 'd'))).toEqual(['base', 'top']);
    await second.removeSnapshot('c');
    await second.settle();
  });

  test('makes the directories of a container tree anew when only its row survived', async () => {
    const first = open();
    await first.createSnapshot('c', await apply(first, 'base'));
    rmSync(join(root, 'snapshots/c'), { recursive: true });
    const second = open();
    expect(readdirSync(join(second.mount('c'), 'd'))).toEqual(['base']);
    second.unmount('c');
  });

  test('a mounted tree stays mounted and is known to be', async () => {
    const first = open();
    await first.createSnapshot('c', await apply(first, 'base'));
    const merged = first.mount('c');
    writeFileSync(join(merged, 'written'), 'before');
    const second = open();
    expect(second.isMounted('c')).toBe(true);
    expect(second.mount('c')).toBe(merged);
    expect(readFileSync(join(merged, 'written'), 'utf8')).toBe('before');
    expect(sys.mounts.list().filter(({ target }) => target === merged)).toHaveLength(1);
    await second.removeSnapshot('c');
    await second.settle();
    expect(sys.mounts.list().filter(({ target }) => target.startsWith(root))).toEqual([]);
  });

  test('an orphan tree that is still mounted is unmounted and removed', async () => {
    const first = open();
    await first.createSnapshot('c', undefined);
    first.mount('c');
    metadata.collection('overlay_snapshots', (stored) => stored).delete('c');
    const second = open();
    await second.settle();
    expect(readdirSync(join(root, 'snapshots'))).toEqual([]);
    expect(sys.mounts.list().filter(({ target }) => target.startsWith(root))).toEqual([]);
  });

  test('with the database lost, layers and container trees are taken over, not removed', async () => {
    const first = open();
    const base = await apply(first, 'base');
    const top = await apply(first, 'top', base);
    await first.createSnapshot('c', top);
    writeFileSync(join(first.mount('c'), 'precious'), 'data');
    first.unmount('c');
    writeFileSync(join(dir, 'metadata.db'), 'garbage '.repeat(1000));
    for (const suffix of ['-wal', '-shm']) rmSync(join(dir, `metadata.db${suffix}`), { force: true });
    using rebuilt = openMetadataStore({ path: join(dir, 'metadata.db'), logger: silentLogger });
    const second = open(rebuilt);
    expect(second.layers().sort()).toEqual([base, top].sort());
    expect(second.snapshots()).toEqual(['c']);
    expect(readFileSync(join(second.mount('c'), 'precious'), 'utf8')).toBe('data');
    second.unmount('c');
  });

  test('one damaged row costs nothing: the record beside the files replaces it', async () => {
    const base = await apply(open(), 'base');
    metadata.collection<unknown>('overlay_layers', (stored) => stored).put(base, { nonsense: true });
    expect(open().layers()).toEqual([base]);
  });
});

describe('mounts', () => {
  test('a data root that is a shared bind mount', async () => {
    mkdirSync(root);
    sys.mounts.mount({ source: root, target: root, flags: MS_BIND });
    sys.mounts.setPropagation(root, 'shared');
    const snapshotter = open();
    await snapshotter.createSnapshot('c', await apply(snapshotter, 'base'));
    const merged = snapshotter.mount('c');
    expect(snapshotter.isMounted('c')).toBe(true);
    expect(readdirSync(join(merged, 'd'))).toEqual(['base']);
    await snapshotter.removeSnapshot('c');
    await snapshotter.settle();
    expect(sys.mounts.list().filter(({ target }) => target.startsWith(`${root}/`))).toEqual([]);
  });

  test('deleting never descends into a foreign mount', async () => {
    const snapshotter = open();
    const precious = join(dir, 'precious');
    mkdirSync(precious);
    writeFileSync(join(precious, 'file'), 'x');
    await snapshotter.createSnapshot('c', undefined);
    const inside = join(root, 'snapshots/c/diff/volume');
    mkdirSync(inside);
    sys.mounts.bind(precious, inside);
    await snapshotter.removeSnapshot('c');
    await snapshotter.settle();
    expect(existsSync(join(precious, 'file'))).toBe(true);
    expect(readdirSync(join(root, 'trash'))).toEqual([]);
  });

  test('nothing below the root can be entered by others', async () => {
    const snapshotter = open();
    await apply(snapshotter, 'base');
    await snapshotter.createSnapshot('c', undefined);
    for (const path of ['', 'layers', 'snapshots', 'staging', 'trash', 'snapshots/c'])
      expect(Bun.spawnSync(['stat', '-c', '%a', join(root, path)]).stdout.toString()).toBe('700\n');
  });
});
