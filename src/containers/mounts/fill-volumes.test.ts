import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HostConfig } from '../model.ts';
import { type ContainersFixture, createContainersFixture, createRequestFixture } from '../testing/index.ts';

let fixture: ContainersFixture;
beforeEach(async () => {
  fixture = await createContainersFixture();
  mkdirSync(join(fixture.dataRoot, 'image/srv'));
  writeFileSync(join(fixture.dataRoot, 'image/srv/page'), 'hello');
});
afterEach(() => fixture[Symbol.asyncDispose]());

const create = (hostConfig: Partial<HostConfig>) =>
  fixture.containers.create(createRequestFixture({ hostConfig }));
const contentOf = (name: string): string[] => readdirSync(fixture.volumes.get(name).mountpoint);

test('a new volume has what the image has as soon as the container is made', async () => {
  await create({ binds: ['pages:/srv'] });
  expect(contentOf('pages')).toEqual(['page']);
  expect(fixture.snapshotter.mounted.size).toBe(0);
});

test('a start fills nothing: what was deleted stays deleted', async () => {
  const { id } = await create({ binds: ['pages:/srv'] });
  rmSync(join(fixture.volumes.get('pages').mountpoint, 'page'));
  await fixture.containers.start(id);
  expect(contentOf('pages')).toEqual([]);
});

test('a part of a volume is not filled, nor the volume around it', async () => {
  await fixture.volumes.create({ name: 'pages' });
  mkdirSync(join(fixture.volumes.get('pages').mountpoint, 'part'));
  const mount = { type: 'volume', source: 'pages', target: '/srv', readOnly: false } as const;
  await create({ mounts: [{ ...mount, volumeOptions: { subpath: 'part' } }] });
  expect(contentOf('pages')).toEqual(['part']);
  expect(readdirSync(join(fixture.volumes.get('pages').mountpoint, 'part'))).toEqual([]);
});

test('two containers that are made on one empty volume at once both find it full', async () => {
  for (let file = 0; file < 280; file += 1)
    writeFileSync(join(fixture.dataRoot, 'image/srv', `${file}`), 'x');
  const made = [1, 2].map(() => create({ binds: ['pages:/srv'] }));
  const counts = await Promise.all(made.map((one) => one.then(() => contentOf('pages').length)));
  expect(counts).toEqual([281, 281]);
});

test('a create that cannot fill its volume leaves nothing behind', async () => {
  const { sys } = fixture;
  const { openRoot } = sys.files;
  const failing = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
  sys.files.openRoot = (path) => {
    if (path.includes('volumes')) throw failing;
    return openRoot.call(sys.files, path);
  };
  await expect(create({ binds: ['pages:/srv'] })).rejects.toMatchObject({
    code: 'internal',
    message: 'cannot fill volume "pages": no space left on device',
  });
  sys.files.openRoot = openRoot;
  expect(fixture.leftovers()).toEqual({ directories: [], snapshots: [], volumes: [] });
});

test('a prune that has looked at a volume before it is taken leaves it', async () => {
  const { volumes } = fixture;
  await volumes.create({ name: 'pages' });
  const { create: createVolume } = volumes;
  let pruned: Promise<{ deleted: readonly string[] }> | undefined;
  // The last moment at which nobody needs the volume but this create.
  volumes.create = async (request) => {
    const volume = await createVolume.call(volumes, request);
    pruned ??= volumes.prune({ all: ['true'] });
    await pruned;
    return volume;
  };
  const { id } = await create({ binds: ['pages:/srv'] });
  expect((await pruned)?.deleted).toEqual([]);
  expect(volumes.usersOf('pages')).toEqual([id]);
  expect(contentOf('pages')).toEqual(['page']);
});

test('a volume that cannot be made is held by nobody', async () => {
  await expect(create({ binds: ['pages:/srv'], volumeDriver: 'none-such' })).rejects.toThrow('none-such');
  expect(fixture.volumes.usersOf('pages')).toEqual([]);
});

describe('what a crash left of a filling', () => {
  const leave = async (name: string, part: string, options?: Record<string, string>) => {
    const { mountpoint } = await fixture.volumes.create({ name, ...(options ? { options } : {}) });
    mkdirSync(join(mountpoint, part));
    writeFileSync(join(mountpoint, part, 'page'), 'x');
  };

  test('is ended when the daemon starts, whatever uses the volume next', async () => {
    await leave('half', '.gantry-filling');
    await leave('whole', '.gantry-filled');
    await fixture.successor();
    expect(contentOf('half')).toEqual([]);
    expect(contentOf('whole')).toEqual(['page']);
  });

  test('does not keep the daemon from starting when it cannot be ended, nor is a share touched', async () => {
    for (const name of ['broken', 'gone', 'half']) await leave(name, '.gantry-filling');
    await leave('share', '.gantry-filling', { type: 'tmpfs', device: 'tmpfs' });
    rmSync(fixture.volumes.get('gone').mountpoint, { recursive: true });
    const { openRoot } = fixture.sys.files;
    fixture.sys.files.openRoot = (path) => {
      if (path.includes('broken')) throw new Error('EIO');
      return openRoot.call(fixture.sys.files, path);
    };
    await fixture.successor();
    expect(contentOf('broken')).toEqual(['.gantry-filling']);
    expect(contentOf('half')).toEqual([]);
    expect(contentOf('share')).toEqual(['.gantry-filling']);
  });

  test('is ended by the next container, also of an image with nothing there', async () => {
    await leave('half', '.gantry-filling');
    await leave('whole', '.gantry-filled');
    await create({ binds: ['half:/nowhere', 'whole:/nothing'] });
    expect(contentOf('half')).toEqual([]);
    expect(contentOf('whole')).toEqual(['page']);
  });
});

test('a snapshot that cannot be unmounted keeps no volume mounted', async () => {
  await fixture.volumes.create({ name: 'memory', options: { type: 'tmpfs', device: 'tmpfs' } });
  fixture.snapshotter.unmountError = new Error('busy');
  await expect(create({ binds: ['memory:/srv'] })).rejects.toThrow('busy');
  expect(fixture.sys.mounts.list()).toEqual([]);
});
