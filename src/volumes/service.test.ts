import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEventBus, silentLogger } from '#base';
import type { MetadataStore } from '#store';
import { createMemoryMetadataStore } from '#store/testing';
import { createFakeSys } from '#sys/testing';
import { decodeVolume } from './decode.ts';
import { createVolumeService } from './service.ts';
import type { VolumeService } from './types.ts';

let dataRoot: string;
let metadata: MetadataStore;
const events = createEventBus();
const sys = createFakeSys();
const open = (): VolumeService =>
  createVolumeService({ metadata, dataRoot, mounts: sys.mounts, events, logger: silentLogger });

beforeEach(() => {
  dataRoot = mkdtempSync(join(tmpdir(), 'gantry-volumes-'));
  metadata = createMemoryMetadataStore();
});
afterEach(() => rmSync(dataRoot, { recursive: true, force: true }));

test('create: makes the directory and is idempotent', async () => {
  const volumes = open();
  const made = await volumes.create({ name: 'data', labels: { a: 'b' } });
  expect(made.mountpoint).toBe(join(dataRoot, 'volumes/data/_data'));
  expect(statSync(made.mountpoint).isDirectory()).toBe(true);
  expect(await volumes.create({ name: 'data' })).toEqual(made);
});

test('create: without a name makes an anonymous volume', async () => {
  const made = await open().create({ labels: { a: 'b' } });
  expect(made.name).toMatch(/^[0-9a-f]{64}$/);
  expect(made.labels).toEqual({ a: 'b', 'com.docker.volume.anonymous': '' });
  expect(made.anonymous).toBe(true);
});

for (const [request, text] of [
  [{ name: 'a' }, 'volume name is too short, names should be at least two alphanumeric characters'],
  [{ name: '../x' }, '"../x" includes invalid characters for a local volume name'],
  [{ name: 'ok', driver: 'nfs' }, 'error looking up volume plugin nfs: plugin "nfs" not found'],
  [{ name: 'ok', options: { foo: '1' } }, 'invalid option: "foo"'],
] as const) {
  test(`create: refuses ${JSON.stringify(request)} and leaves nothing`, async () => {
    const volumes = open();
    await expect(volumes.create(request)).rejects.toThrow(text);
    expect(volumes.list()).toEqual([]);
  });
}

test('get: survives a restart; an unknown one has docker’s text', async () => {
  await open().create({ name: 'kept' });
  expect(open().get('kept').name).toBe('kept');
  expect(() => open().get('nope')).toThrow('get nope: no such volume');
});

test('remove: refuses a held volume, then removes row and directory', async () => {
  const volumes = open();
  const { mountpoint } = await volumes.create({ name: 'data' });
  volumes.hold('data', 'c1');
  await expect(volumes.remove('data', { force: true })).rejects.toThrow(
    'remove data: volume is in use - [c1]',
  );
  volumes.release('data', 'c1');
  await volumes.remove('data');
  expect(existsSync(mountpoint)).toBe(false);
  await expect(volumes.remove('data')).rejects.toThrow('get data: no such volume');
  await volumes.remove('data', { force: true });
});

test('prune: takes anonymous volumes without holds; named ones only with all', async () => {
  const volumes = open();
  const free = await volumes.create({});
  const held = await volumes.create({});
  await volumes.create({ name: 'named' });
  volumes.hold(held.name, 'c1');
  writeFileSync(join(free.mountpoint, 'file'), 'x'.repeat(100));
  expect(await volumes.prune()).toEqual({ deleted: [free.name], reclaimedBytes: 100 });
  expect((await volumes.prune({ all: ['true'] })).deleted).toEqual(['named']);
  expect(volumes.list().map(({ name }) => name)).toEqual([held.name]);
});

test('list: filters by name, label and dangling', async () => {
  const volumes = open();
  await volumes.create({ name: 'web', labels: { tier: 'front' } });
  await volumes.create({ name: 'db', labels: { tier: 'back' } });
  volumes.hold('db', 'c1');
  const names = (filters: Record<string, string[]>) => volumes.list(filters).map(({ name }) => name);
  expect(names({ label: ['tier=front'] })).toEqual(['web']);
  expect(names({ label: ['tier'] })).toEqual(['db', 'web']);
  expect(names({ dangling: ['true'] })).toEqual(['web']);
  expect(names({ dangling: ['0'] })).toEqual(['db']);
  expect(names({ name: ['b'] })).toEqual(['db', 'web']);
  expect(() => names({ colour: ['red'] })).toThrow("invalid filter 'colour'");
  await expect(volumes.prune({ all: ['true', 'false'] })).rejects.toThrow(
    "invalid filter 'all=[true false]'",
  );
  expect(() => names({ constructor: ['x'] })).toThrow("invalid filter 'constructor'");
  for (const values of [['maybe'], ['true', 'false']]) {
    expect(() => names({ dangling: values })).toThrow(`invalid filter 'dangling=[${values.join(' ')}]'`);
  }
});

describe('a volume whose row is lost', () => {
  const share = { name: 'share', options: { type: 'tmpfs', device: 'tmpfs' } };
  const targets = () => sys.mounts.list().map(({ target }) => target);

  test('is not started with: what a container writes must not end up beside it', async () => {
    await open().create(share);
    metadata.collection('volumes', decodeVolume).delete('share');
    const volumes = open();
    await expect(volumes.mount('share', 'c1')).rejects.toMatchObject({
      code: 'not_found',
      message: 'get share: no such volume',
    });
    expect(targets()).toEqual([]);
  });

  test('is unmounted before another one gets its place', async () => {
    const before = open();
    const { mountpoint } = await before.create(share);
    await before.mount('share', 'c1');
    metadata.collection('volumes', decodeVolume).delete('share');
    const volumes = open();
    volumes.restoreMounts(new Map([['c1', ['share']]]));
    expect(targets()).toEqual([mountpoint]);
    await volumes.create({ name: 'share' });
    expect(targets()).toEqual([]);
  });

  test('makes no place for another one while it cannot be unmounted', async () => {
    const before = open();
    const { mountpoint } = await before.create(share);
    await before.mount('share', 'c1');
    metadata.collection('volumes', decodeVolume).delete('share');
    const volumes = open();
    sys.failNext('mounts.unmount', new Error('busy'));
    await expect(volumes.create({ name: 'share' })).rejects.toThrow('busy');
    expect(volumes.list()).toEqual([]);
    sys.mounts.unmount(mountpoint);
  });
});

test('remove: not while something is still being mounted there, though nobody waits for it', async () => {
  const [begun, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const mountAside = () => {
    begun.resolve();
    return answer.promise;
  };
  const { mounts } = sys;
  const volumes = createVolumeService({
    ...{ metadata, dataRoot, mounts, events, logger: silentLogger, mountAside },
  });
  await volumes.create({ name: 'share', options: { type: 'nfs', device: ':/srv', o: 'addr=192.0.2.1' } });
  const waiting = volumes.mount('share', 'c1').catch((error) => error.code);
  await begun.promise;
  using _refused = volumes.giveUpMounts('c1');
  expect(await waiting).toBe('canceled');
  await expect(volumes.remove('share')).rejects.toThrow('remove share: volume is in use - [c1]');
  answer.resolve();
  while (volumes.usersOf('share').length > 0) await Promise.resolve();
  await volumes.remove('share');
});

describe('remove: a volume of the same name made meanwhile', () => {
  test('keeps its data, row and place', async () => {
    const volumes = open();
    const old = await volumes.create({ name: 'data' });
    writeFileSync(join(old.mountpoint, 'old'), 'x');
    const removing = volumes.remove('data');
    const made = await volumes.create({ name: 'data' });
    expect(readdirSync(made.mountpoint)).toEqual([]);
    writeFileSync(join(made.mountpoint, 'new'), 'precious');
    await removing;
    expect(volumes.get('data')).toBe(made);
    expect(readdirSync(made.mountpoint)).toEqual(['new']);
    expect(readdirSync(join(dataRoot, 'volumes'))).toEqual(['data']);
  });

  test('is none of the business of a prune that saw the old one', async () => {
    const volumes = open();
    await volumes.create({ name: 'data' });
    const pruning = volumes.prune({ all: ['true'] });
    const removing = volumes.remove('data');
    const made = await volumes.create({ name: 'data' });
    writeFileSync(join(made.mountpoint, 'new'), 'precious');
    await removing;
    expect((await pruning).deleted).toEqual([]);
    expect(readdirSync(made.mountpoint)).toEqual(['new']);
  });

  test('comes after the old one in the events', async () => {
    const volumes = open();
    await volumes.create({ name: 'order' });
    const removing = volumes.remove('order');
    await volumes.create({ name: 'order' });
    await removing;
    const actions = events.history().filter(({ actorId }) => actorId === 'order');
    expect(actions.map(({ action }) => action)).toEqual(['create', 'destroy', 'create']);
  });
});

test('remove: what a crash left of one goes at the next start', async () => {
  const volumes = open();
  await volumes.create({ name: 'data' });
  renameSync(join(dataRoot, 'volumes/data'), join(dataRoot, 'volumes/.removed-1'));
  metadata.collection('volumes', decodeVolume).delete('data');
  await open().create({ name: 'data' });
  // In the background; the test's own deadline ends this.
  while (readdirSync(join(dataRoot, 'volumes')).length > 1) await Bun.sleep(1);
  expect(readdirSync(join(dataRoot, 'volumes'))).toEqual(['data']);
});

test('remove: one that cannot be moved away stays whole', async () => {
  const volumes = open();
  const made = await volumes.create({ name: 'data' });
  rmSync(join(dataRoot, 'volumes'), { recursive: true });
  writeFileSync(join(dataRoot, 'volumes'), 'not a directory');
  await expect(volumes.remove('data')).rejects.toThrow('ENOTDIR');
  expect(volumes.get('data')).toBe(made);
});
