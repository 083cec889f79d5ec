import { expect } from 'bun:test';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { digestOf } from '#oci';
import { createSys } from '#sys';
import { directory, file, hardlink, symlink } from './archives.ts';
import { type RunTest, rejects } from './snapshotter-suite.ts';

/** Everything about a tree that a layer must carry, one line a file. */
function describeTree(root: string, dir = ''): string[] {
  return readdirSync(join(root, dir))
    .sort()
    .flatMap((name) => {
      const path = join(dir, name);
      const stat = lstatSync(join(root, path), { bigint: true });
      const content = stat.isFile() ? digestOf(readFileSync(join(root, path))) : '';
      const line = `${path} ${stat.mode.toString(8)} ${stat.uid}:${stat.gid} ${stat.mtimeNs} ${stat.isDirectory() ? '' : stat.nlink} ${content}`;
      return stat.isDirectory() ? [line, ...describeTree(root, path)] : [line];
    });
}

const BASE = [
  directory('etc'),
  file('etc/passwd', 'root'),
  file('etc/group', 'wheel'),
  directory('opt/app/data'),
  file('opt/app/data/1', 'one'),
  file('opt/app/data/2', 'two'),
  file('opt/app/keep', 'kept'),
  symlink('link', 'etc/passwd'),
  file('tool', 'binary', { mode: 0o755 }),
  hardlink('tool2', 'tool'),
];

async function closing(stream: Readable): Promise<void> {
  const closed = once(stream, 'close');
  stream.destroy();
  await closed;
}

/** Creating, mounting, comparing and removing snapshots. */
export function snapshotSuite(run: RunTest): void {
  run(
    'a snapshot on nothing is an empty writable root',
    async ({ mount, snapshotter, exportDiff, applyBytes }) => {
      const { root, key } = await mount();
      expect(readdirSync(root)).toEqual([]);
      const stat = statSync(root);
      expect([stat.mode & 0o7777, stat.uid]).toEqual([0o755, 0]);
      writeFileSync(join(root, 'f'), 'x');
      expect(await snapshotter.changes(key)).toEqual([{ path: '/f', kind: 'added' }]);
      const again = await mount(await applyBytes(readFileSync(await exportDiff(key))));
      expect(readFileSync(join(again.root, 'f'), 'utf8')).toBe('x');
    },
  );

  run('writing leaves the layer alone', async ({ apply, mount }) => {
    const layer = await apply([file('f', 'original')]);
    const first = await mount(layer);
    writeFileSync(join(first.root, 'f'), 'changed');
    const second = await mount(layer);
    expect(readFileSync(join(second.root, 'f'), 'utf8')).toBe('original');
    expect(readFileSync(join(first.root, 'f'), 'utf8')).toBe('changed');
  });

  run('the root of a container can be entered by everybody', async ({ apply, mount }) => {
    const { root } = await mount(
      await apply([directory('./', { mode: 0o700, uid: 12, gid: 13 }), file('f')]),
    );
    const stat = statSync(root);
    expect([stat.mode & 0o7777, stat.uid, stat.gid]).toEqual([0o755, 12, 13]);
  });

  run('`mount` and `unmount` may be repeated, content stays', async ({ apply, mount, snapshotter }) => {
    const { root, key } = await mount(await apply([file('f')]));
    expect(snapshotter.mount(key)).toBe(root);
    expect(snapshotter.isMounted(key)).toBe(true);
    writeFileSync(join(root, 'new'), 'x');
    snapshotter.unmount(key);
    snapshotter.unmount(key);
    snapshotter.unmount('never-made');
    expect(snapshotter.isMounted(key)).toBe(false);
    expect(snapshotter.isMounted('never-made')).toBe(false);
    expect(readFileSync(join(snapshotter.mount(key), 'new'), 'utf8')).toBe('x');
  });

  run(
    'what is not there is `not_found`, what is there twice a `conflict`',
    async ({ apply, snapshotter }) => {
      const layer = await apply([]);
      await snapshotter.createSnapshot('one', layer);
      await rejects(snapshotter.createSnapshot('one', layer), 'conflict');
      await rejects(snapshotter.createSnapshot('two', digestOf('nobody')), 'not_found');
      await rejects(snapshotter.createSnapshot('../evil', layer), 'invalid_argument');
      const calls = [snapshotter.mount, snapshotter.describe, snapshotter.diff].map((call) =>
        call.bind(snapshotter),
      );
      for (const call of calls)
        expect(() => call('nobody')).toThrow(expect.objectContaining({ code: 'not_found' }));
      await rejects(snapshotter.usage('nobody'), 'not_found');
      await rejects(snapshotter.changes('nobody'), 'not_found');
      expect(snapshotter.snapshots()).toEqual(['one']);
    },
  );

  run(
    'a tree for a user namespace has the IDs of the host, its difference those of the image',
    async (suite) => {
      const { apply, applyBytes, exportDiff, mount, snapshotter } = suite;
      const range = { containerID: 0, hostID: 300_000, size: 65_536 };
      const mappings = { uids: [range], gids: [{ ...range, hostID: 400_000 }] };
      const layer = await apply([
        directory('etc', { uid: 0, gid: 5 }),
        file('etc/web', 'w', { uid: 33, gid: 34 }),
        file('etc/same', 's', { uid: 7, gid: 8 }),
      ]);
      const owner = (path: string) => [statSync(path).uid, statSync(path).gid];
      const { root, key } = await mount(layer, { mappings });
      expect(owner(root)).toEqual([300_000, 400_000]);
      expect(owner(join(root, 'etc/web'))).toEqual([300_033, 400_034]);
      chmodSync(join(root, 'etc/web'), 0o600);
      writeFileSync(join(root, 'new'), '');
      chownSync(join(root, 'new'), 300_001, 400_002);
      expect(await snapshotter.changes(key)).toEqual([
        { path: '/etc', kind: 'modified' },
        { path: '/etc/web', kind: 'modified' },
        { path: '/new', kind: 'added' },
      ]);
      snapshotter.unmount(key);
      expect(owner(join(snapshotter.mount(key), 'etc/same'))).toEqual([300_007, 400_008]);
      const above = await applyBytes(readFileSync(await exportDiff(key)), { parent: layer });
      const plain = (await mount(above)).root;
      const owners = ['etc', 'etc/web', 'etc/same', 'new'].map((name) => owner(join(plain, name)));
      expect(owners).toEqual([
        [0, 5],
        [33, 34],
        [7, 8],
        [1, 2],
      ]);
    },
  );

  run('removing unmounts, can be repeated and frees the key', async ({ mount, snapshotter }) => {
    const { root, key } = await mount();
    writeFileSync(join(root, 'f'), 'x');
    await snapshotter.removeSnapshot(key);
    await snapshotter.removeSnapshot(key);
    expect(snapshotter.snapshots()).toEqual([]);
    await snapshotter.createSnapshot(key, undefined);
    expect(readdirSync(snapshotter.mount(key))).toEqual([]);
  });

  run('removing works while a process is in there', async ({ mount, snapshotter }) => {
    const { root, key } = await mount();
    const child = Bun.spawn(['sleep', '60'], { cwd: root });
    try {
      await snapshotter.removeSnapshot(key);
      await snapshotter.settle();
      expect(snapshotter.isMounted(key)).toBe(false);
    } finally {
      child.kill();
      await child.exited;
    }
  });

  run('`changes`: added, modified and deleted, with their parents', async ({ apply, mount, snapshotter }) => {
    const { root, key } = await mount(await apply(BASE));
    expect(await snapshotter.changes(key)).toEqual([]);
    writeFileSync(join(root, 'etc/passwd'), 'changed');
    unlinkSync(join(root, 'etc/group'));
    mkdirSync(join(root, 'new/dir'), { recursive: true });
    writeFileSync(join(root, 'opt/app/data/3'), 'three');
    chmodSync(join(root, 'opt/app'), 0o700);
    rmSync(join(root, 'link'));
    expect(await snapshotter.changes(key)).toEqual([
      { path: '/etc', kind: 'modified' },
      { path: '/etc/group', kind: 'deleted' },
      { path: '/etc/passwd', kind: 'modified' },
      { path: '/link', kind: 'deleted' },
      { path: '/new', kind: 'added' },
      { path: '/new/dir', kind: 'added' },
      { path: '/opt', kind: 'modified' },
      { path: '/opt/app', kind: 'modified' },
      { path: '/opt/app/data', kind: 'modified' },
      { path: '/opt/app/data/3', kind: 'added' },
    ]);
  });

  run('`changes`: a directory made anew shows what it lost', async ({ apply, mount, snapshotter }) => {
    const { root, key } = await mount(await apply(BASE));
    rmSync(join(root, 'opt/app'), { recursive: true });
    mkdirSync(join(root, 'opt/app'));
    writeFileSync(join(root, 'opt/app/new'), 'x');
    writeFileSync(join(root, 'opt/app/keep'), 'x');
    expect(await snapshotter.changes(key)).toEqual([
      { path: '/opt', kind: 'modified' },
      { path: '/opt/app', kind: 'modified' },
      { path: '/opt/app/data', kind: 'deleted' },
      { path: '/opt/app/keep', kind: 'modified' },
      { path: '/opt/app/new', kind: 'added' },
    ]);
  });

  run('`changes`: files of any depth of layers', async ({ apply, mount, snapshotter }) => {
    const base = await apply([file('d/a', '1'), file('d/b', '2')]);
    const middle = await apply([file('d/.wh.a'), file('d/c', '3')], base);
    const { root, key } = await mount(middle);
    writeFileSync(join(root, 'd/a'), 'again');
    writeFileSync(join(root, 'd/b'), 'changed');
    rmSync(join(root, 'd/c'));
    expect(await snapshotter.changes(key)).toEqual([
      { path: '/d', kind: 'modified' },
      { path: '/d/a', kind: 'added' },
      { path: '/d/b', kind: 'modified' },
      { path: '/d/c', kind: 'deleted' },
    ]);
  });

  run('`diff` applied as a layer gives the same tree', async ({ apply, applyBytes, mount, exportDiff }) => {
    const { files } = createSys();
    const base = await apply(BASE);
    const { root, key } = await mount(base);
    writeFileSync(join(root, 'etc/passwd'), 'changed');
    chownSync(join(root, 'etc'), 5, 6);
    rmSync(join(root, 'opt/app'), { recursive: true });
    mkdirSync(join(root, 'opt/app'));
    writeFileSync(join(root, 'opt/app/new'), 'x'.repeat(70_000), { mode: 0o4700 });
    linkSync(join(root, 'opt/app/new'), join(root, 'opt/app/hard'));
    symlinkSync('/nowhere', join(root, 'etc/dangling'));
    renameSync(join(root, 'tool'), join(root, `${'long'.repeat(40)}`));
    Bun.spawnSync(['mknod', join(root, 'dev'), 'c', '5', '1']);
    files.setXattr(join(root, 'opt/app/new'), 'user.note', Buffer.from('kept'));
    writeFileSync(join(root, `größe`), 'x');
    const expected = describeTree(root);
    const again = await mount(await applyBytes(readFileSync(await exportDiff(key)), { parent: base }));
    expect(describeTree(again.root)).toEqual(expected);
    const note = files.getXattr(join(again.root, 'opt/app/hard'), 'user.note');
    expect(Buffer.from(note ?? []).toString()).toBe('kept');
  });

  run('`diff` names only what changed', async ({ apply, mount, exportDiff }) => {
    const { root, key } = await mount(await apply(BASE));
    writeFileSync(join(root, 'opt/app/data/1'), 'x');
    unlinkSync(join(root, 'etc/group'));
    writeFileSync(join(root, '.wh.fake'), 'a name that a layer cannot hold');
    readdirSync(join(root, 'opt/app'));
    const names = Bun.spawnSync(['tar', '-tf', await exportDiff(key)])
      .stdout.toString()
      .trimEnd()
      .split('\n');
    expect(names).toEqual(['etc/', 'etc/.wh.group', 'opt/', 'opt/app/', 'opt/app/data/', 'opt/app/data/1']);
  });

  run('`diff` that nobody reads, or not to the end, holds nothing open', async ({ mount, snapshotter }) => {
    const { root, key } = await mount();
    for (let index = 0; index < 50; index += 1) writeFileSync(join(root, `f${index}`), 'x'.repeat(100_000));
    const before = readdirSync('/proc/self/fd').length;
    for (let round = 0; round < 5; round += 1) {
      await closing(snapshotter.diff(key));
      const started = snapshotter.diff(key);
      await once(started, 'readable');
      await closing(started);
    }
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });

  run('`usage` counts the writable tree, every file once', async ({ apply, mount, snapshotter }) => {
    const { root, key } = await mount(await apply([file('big', 'x'.repeat(100_000))]));
    expect(await snapshotter.usage(key)).toBe(0);
    writeFileSync(join(root, 'a'), 'x'.repeat(1000));
    linkSync(join(root, 'a'), join(root, 'b'));
    writeFileSync(join(root, 'c'), 'x'.repeat(10));
    rmSync(join(root, 'big'));
    expect(await snapshotter.usage(key)).toBe(1010);
    await expect(snapshotter.usage(key, { signal: AbortSignal.abort() })).rejects.toThrow();
  });

  run('`describe` and `status` say what docker says', async ({ mount, snapshotter }) => {
    const { root, key } = await mount();
    expect(snapshotter.describe(key)['MergedDir']).toBe(root);
    expect(snapshotter.status()[0]?.[0]).toBe('Backing Filesystem');
  });
}
