import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readTar, writeTar } from '#base';
import { type ContainersFixture, createContainersFixture, createRequestFixture } from './testing/index.ts';

let fixture: ContainersFixture;
beforeEach(async () => {
  fixture = await createContainersFixture();
});
afterEach(async () => {
  await fixture[Symbol.asyncDispose]();
});

const create = async (hostConfig = {}) =>
  (await fixture.containers.create(createRequestFixture({ name: 'web', hostConfig }))).id;
const tarOf = (name: string, text: string) => {
  const data = Buffer.from(text);
  const header = { path: name, type: 'file', mode: 0o644, uid: 7, gid: 8, size: data.length } as const;
  return writeTar([{ header, body: data }]);
};

test('cp of a stopped container: written, described, read again; mounted only meanwhile', async () => {
  const { containers, snapshotter } = fixture;
  await create();
  await containers.writeArchive('web', '/etc', tarOf('greeting', 'hello'));
  expect(snapshotter.mounted.size).toBe(0);
  expect(await containers.statPath('web', '/etc/greeting')).toMatchObject({ name: 'greeting', size: 5 });
  const { stat, tar } = await containers.readArchive('web', '/etc/greeting');
  expect(stat.name).toBe('greeting');
  const members: string[] = [];
  for await (const entry of readTar(tar)) {
    members.push(`${entry.header.path} ${entry.header.uid} ${Buffer.from(await entry.bytes(100))}`);
  }
  expect(members).toEqual(['greeting 7 hello']);
  // Takes the lock, so it comes after the unmounting.
  await containers.rename('web', 'other');
  expect(snapshotter.mounted.size).toBe(0);
  expect(fixture.actions()).toEqual(['create', 'extract-to-dir', 'archive-path', 'rename']);
});

test('cp into a volume of a stopped container reaches the volume; owner by name', async () => {
  const source = join(fixture.dataRoot, 'bound');
  mkdirSync(source);
  await create({ binds: [`${source}:/data`] });
  await fixture.containers.writeArchive('web', '/data', tarOf('file', 'x'), { chown: 'web:www' });
  expect(readFileSync(join(source, 'file'), 'utf8')).toBe('x');
  const { tar } = await fixture.containers.readArchive('web', '/data/file');
  for await (const { header } of readTar(tar)) expect([header.uid, header.gid]).toEqual([33, 33]);
});

test('cp: what is missing, and what is read-only', async () => {
  const source = join(fixture.dataRoot, 'bound');
  mkdirSync(source);
  writeFileSync(join(source, 'file'), '');
  await create({ binds: [`${source}:/data:ro`] });
  const { containers, snapshotter } = fixture;
  await expect(containers.statPath('web', '/nothing')).rejects.toThrow(
    'Could not find the file /nothing in container web',
  );
  await expect(containers.readArchive('web', '/nothing')).rejects.toThrow('Could not find the file');
  await expect(containers.writeArchive('web', '/data', tarOf('a', ''))).rejects.toThrow(
    'mounted volume is marked read-only',
  );
  await expect(containers.statPath('ghost', '/')).rejects.toThrow('No such container: ghost');
  expect(snapshotter.mounted.size).toBe(0);
});

test('an upload that has stalled ends when its container is removed by force', async () => {
  const { containers, snapshotter } = fixture;
  const id = await create();
  const arrived = Promise.withResolvers<void>();
  async function* stalled(): AsyncGenerator<Uint8Array> {
    yield Buffer.alloc(512);
    arrived.resolve();
    await new Promise(() => {});
  }
  const writing = containers.writeArchive('web', '/etc', stalled()).then(
    () => 'written',
    (error) => error,
  );
  await arrived.promise;
  await containers.remove(id, { force: true });
  expect(await writing).toMatchObject({ code: 'canceled' });
  expect(snapshotter.mounted.size).toBe(0);
  expect(fixture.leftovers().directories).toEqual([]);
});

test('a snapshot that cannot be unmounted after a copy keeps no volume mounted', async () => {
  const { containers, snapshotter, sys, volumes } = fixture;
  await volumes.create({ name: 'memory', options: { type: 'tmpfs', device: 'tmpfs' } });
  await create({ binds: ['memory:/data'] });
  snapshotter.unmountError = new Error('busy');
  await expect(containers.statPath('web', '/etc')).rejects.toThrow('busy');
  expect(sys.mounts.list()).toEqual([]);
});
