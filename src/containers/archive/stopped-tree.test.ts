import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Files } from '#sys';
import { readArchive } from './archive.ts';
import { openStoppedTree } from './stopped-tree.ts';
import { createWorld, readMembers, type World } from './testing/world.ts';

let world: World;
let volume = '';

beforeEach(() => {
  world = createWorld();
  volume = join(world.dir, 'volume');
  for (const name of ['volume', 'volume/sub', 'host']) mkdirSync(join(world.dir, name));
  writeFileSync(join(volume, 'sub/secret'), 'inside');
  writeFileSync(join(world.dir, 'host/secret'), 'outside');
});
afterEach(() => world[Symbol.dispose]());

/** What `cp` reads at `path` with a part of the volume at /m, while `race` happens before each root but the first two is opened. */
async function readRaced(subpath: string, path: string, race: () => void): Promise<string[]> {
  let roots = 0;
  const files: Pick<Files, 'openRoot'> = {
    openRoot(at) {
      roots += 1;
      if (roots > 2) race();
      return world.sys.files.openRoot(at);
    },
  };
  const mounts = [{ destination: '/m', source: volume, subpath, readOnly: false }];
  const source = {
    ref: 'web',
    open: () => openStoppedTree(files, { rootfs: world.rootfs, readonlyRootfs: false, mounts }),
  };
  return (await readMembers(readArchive(source, path).stream)).map(({ content }) => content);
}

test('a part of a volume that another container makes a link to the host is not followed there', async () => {
  const race = () => {
    renameSync(join(volume, 'sub'), join(volume, 'away'));
    symlinkSync(join(world.dir, 'host'), join(volume, 'sub'));
  };
  expect(await readRaced('sub', '/m/secret', race)).toEqual(['inside']);
});

test('nor is the directory of a file that is mounted', async () => {
  const race = () => {
    renameSync(join(volume, 'sub'), join(volume, 'away'));
    symlinkSync(join(world.dir, 'host'), join(volume, 'sub'));
  };
  expect(await readRaced('sub/secret', '/m', race)).toEqual(['inside']);
});

test('a link that is there from the start stays within the volume', async () => {
  symlinkSync('/sub', join(volume, 'good'));
  expect(await readRaced('good', '/m/secret', () => {})).toEqual(['inside']);
  symlinkSync(join(world.dir, 'host'), join(volume, 'out'));
  await expect(readRaced('out', '/m/secret', () => {})).rejects.toThrow('bind source path does not exist');
  rmSync(join(volume, 'out'));
});
