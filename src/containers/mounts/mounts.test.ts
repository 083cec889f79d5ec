import { afterEach, beforeEach, expect, test } from 'bun:test';
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFakeSys } from '#sys/testing';
import { hostConfigFixture } from '../testing/index.ts';
import { isInheritedMode, parseBind } from './bind-notation.ts';
import { copyUp, hasLeftovers, isFilled, settleCopyUp } from './copy-up.ts';
import { specMounts } from './spec-mounts.ts';
import { tmpfsMountOptions } from './tmpfs-options.ts';

let directory: string;
const at = (...names: string[]) => join(directory, ...names);
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gantry-mounts-'));
  for (const name of ['root', 'volume']) mkdirSync(at(name));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));
const copy = (destination: string) => copyUp(createFakeSys(), at('root'), destination, at('volume'));

test('copyUp: contents, modes, links and hard links', async () => {
  mkdirSync(at('root/data/sub'), { recursive: true });
  writeFileSync(at('root/data/file'), 'content');
  chmodSync(at('root/data/file'), 0o640);
  linkSync(at('root/data/file'), at('root/data/sub/twin'));
  symlinkSync('../file', at('root/data/sub/link'));
  chmodSync(at('root/data'), 0o770);
  expect(await copy('/data')).toBe(true);
  expect(readFileSync(at('volume/sub/twin'), 'utf8')).toBe('content');
  expect(statSync(at('volume/file')).mode & 0o777).toBe(0o640);
  expect(lstatSync(at('volume/file')).ino).toBe(lstatSync(at('volume/sub/twin')).ino);
  expect(readlinkSync(at('volume/sub/link'))).toBe('../file');
  expect(statSync(at('volume')).mode & 0o777).toBe(0o770);
});

test('copyUp: leaves a volume with content, a missing or plain source alone', async () => {
  writeFileSync(at('root/plain'), 'x');
  expect(await copy('/nowhere')).toBe(false);
  expect(await copy('/plain')).toBe(false);
  mkdirSync(at('root/data'));
  writeFileSync(at('root/data/file'), 'x');
  writeFileSync(at('volume/mine'), 'y');
  expect(await copy('/data')).toBe(false);
  expect(readdirSync(at('volume'))).toEqual(['mine']);
});

test('copyUp: a link out of the image stays inside the image', async () => {
  mkdirSync(at('outside'));
  writeFileSync(at('outside/secret'), 'host');
  mkdirSync(at('root', directory, 'outside'), { recursive: true });
  writeFileSync(at('root', directory, 'outside/inner'), 'image');
  symlinkSync(at('outside'), at('root/data'));
  expect(await copy('/data')).toBe(true);
  expect(readdirSync(at('volume'))).toEqual(['inner']);
});

test('copyUp: one that fails leaves the volume empty, and the next one fills it', async () => {
  mkdirSync(at('root/data'));
  writeFileSync(at('root/data/a'), 'a');
  symlinkSync('a', at('root/data/link'));
  const sys = createFakeSys();
  const isFull = { value: true };
  // A disk that is full as soon as a link is to be written.
  const openRoot: typeof sys.files.openRoot = (path) =>
    new Proxy(sys.files.openRoot(path), {
      get(root, key) {
        if (key === 'symlink' && isFull.value) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
        const value: unknown = Reflect.get(root, key, root);
        return typeof value === 'function' ? value.bind(root) : value;
      },
    });
  const limited = { ...sys, files: { openRoot } } as unknown as typeof sys;
  const fill = () => copyUp(limited, at('root'), '/data', at('volume'));
  await expect(fill()).rejects.toThrow('ENOSPC');
  expect(readdirSync(at('volume'))).toEqual([]);
  isFull.value = false;
  expect(await fill()).toBe(true);
  expect(readdirSync(at('volume')).toSorted()).toEqual(['a', 'link']);
});

test('copyUp: what a crash left is thrown away, or brought to its end if it was whole', async () => {
  mkdirSync(at('root/data'));
  writeFileSync(at('root/data/a'), 'a');
  mkdirSync(at('volume/.gantry-filling'));
  writeFileSync(at('volume/.gantry-filling/a'), '');
  expect(isFilled(at('volume'))).toBe(false);
  expect(await copy('/data')).toBe(true);
  expect(readdirSync(at('volume'))).toEqual(['a']);
  expect(readFileSync(at('volume/a'), 'utf8')).toBe('a');
  expect(isFilled(at('volume'))).toBe(true);

  mkdirSync(at('volume/.gantry-filled'), { mode: 0o711 });
  for (const name of ['a', 'b']) writeFileSync(at('volume/.gantry-filled', name), 'late');
  expect(isFilled(at('volume'))).toBe(false);
  expect(await copy('/data')).toBe(true);
  expect(readdirSync(at('volume')).toSorted()).toEqual(['a', 'b']);
  expect(readFileSync(at('volume/a'), 'utf8')).toBe('a');
  expect(statSync(at('volume')).mode & 0o777).toBe(0o711);
});

test('copyUp: what a crash left goes also when the image has nothing there', async () => {
  mkdirSync(at('volume/.gantry-filling'));
  expect(hasLeftovers(at('volume'))).toBe(true);
  expect(await copy('/data')).toBe(false);
  expect(readdirSync(at('volume'))).toEqual([]);
  mkdirSync(at('volume/.gantry-filled'));
  writeFileSync(at('volume/.gantry-filled/a'), 'a');
  expect(hasLeftovers(at('volume'))).toBe(true);
  expect(await copy('/data')).toBe(true);
  expect(readdirSync(at('volume'))).toEqual(['a']);
  expect(hasLeftovers(at('volume'))).toBe(false);
});

test('settleCopyUp: ends what a crash left without an image; a container’s own files stay', () => {
  const settle = () => settleCopyUp(createFakeSys(), at('volume'));
  writeFileSync(at('volume/mine'), 'x');
  settle();
  mkdirSync(at('volume/.gantry-filling'));
  mkdirSync(at('volume/.gantry-filled'), { mode: 0o711 });
  for (const name of ['a', 'mine']) writeFileSync(at('volume/.gantry-filled', name), 'image');
  settle();
  expect(readdirSync(at('volume')).toSorted()).toEqual(['a', 'mine']);
  expect(readFileSync(at('volume/mine'), 'utf8')).toBe('x');
});

test('parseBind: the forms of -v', () => {
  expect(parseBind('/only')).toMatchObject({ kind: 'volume', source: '', destination: '/only' });
  expect(parseBind('name:/d:ro,nocopy')).toMatchObject({ kind: 'volume', readOnly: true, noCopy: true });
  expect(parseBind('/h:/d:rshared,z')).toMatchObject({
    kind: 'bind',
    propagation: 'rshared',
    mode: 'rshared,z',
  });
  for (const bad of ['', ':/d', '/d:ro', '/a:/b:ro,rw', 'a:', '/a:/b:/c:d']) {
    expect(() => parseBind(bad)).toThrow(/invalid (volume specification|mode)/);
  }
});

test.each([
  ['name:/d:shared', 'volume', 'BindOptions'],
  ['name:/d:nocopy,private', 'volume', 'BindOptions'],
  ['/h:/d:nocopy', 'bind', 'VolumeOptions'],
  ['/h:/d:ro,copy', 'bind', 'VolumeOptions'],
])('parseBind: %s has an option of the other kind', (text, kind, field) => {
  expect(() => parseBind(text)).toThrow(
    `invalid volume specification: '${text}': invalid mount config for type "${kind}": field ${field} must not be specified`,
  );
});

test('isInheritedMode: access and labels, alone and together', () => {
  for (const mode of ['', 'ro', 'rw', 'z', 'ro,z', 'Z,rw']) expect(isInheritedMode(mode)).toBe(true);
  for (const mode of ['odd', 'ro,rw', 'ro,shared', 'nocopy']) expect(isInheritedMode(mode)).toBe(false);
});

test('specMounts: parents first, the engine’s files unless the user mounts there, -v sources are made', () => {
  const bind = { type: 'bind', name: '', driver: '', mode: '', rw: false, propagation: '' } as const;
  const mounts = specMounts(
    [
      { ...bind, source: at('made/here'), destination: '/a/b/c', createSource: true },
      { ...bind, source: at('root'), destination: '/etc/hosts', nonRecursive: true },
    ],
    hostConfigFixture({ tmpfs: { '/a': '' } }),
    {
      hostname: '/h',
      hosts: '/hosts',
      resolvConf: '/r',
      hostMounts: () => [],
      hostOptions: () => [],
      shallowReadOnly: 'old',
    },
  );
  expect(mounts.map(({ destination }) => destination)).toEqual([
    '/a',
    '/etc/resolv.conf',
    '/etc/hostname',
    '/etc/hosts',
    '/a/b/c',
  ]);
  expect(mounts[3]?.options).toEqual(['bind', 'ro', 'private']);
  expect(statSync(at('made/here')).isDirectory()).toBe(true);
});

test.each([
  [true, 'ro'],
  [false, 'rw'],
])('specMounts: with a read-only root %p the engine’s files are %s', (readonlyRootfs, access) => {
  const mounts = specMounts([], hostConfigFixture({ readonlyRootfs }), {
    hostname: '/h',
    hosts: '/hosts',
    resolvConf: '/r',
    hostMounts: () => [],
    hostOptions: () => [],
  });
  expect(mounts.map(({ options }) => options)).toEqual(Array(3).fill(['rbind', access, 'rprivate']));
});

test('specMounts: read-only with all below, where there can be something below', () => {
  const bind = { type: 'bind', name: '', driver: '', mode: '', rw: false, propagation: '' } as const;
  writeFileSync(at('file'), '');
  const mounts = specMounts(
    [
      { ...bind, source: at('root'), destination: '/directory' },
      { ...bind, source: at('file'), destination: '/file' },
    ],
    hostConfigFixture(),
    { hostname: '', hosts: '', resolvConf: '', hostMounts: () => [], hostOptions: () => [] },
  );
  expect(mounts.map(({ options }) => options?.[1])).toEqual(['rro', 'ro']);
});

test('specMounts: a --mount source that vanished since the create is refused', () => {
  const gone = { type: 'bind', name: '', driver: '', mode: '', rw: true, propagation: '' } as const;
  const run = () =>
    specMounts([{ ...gone, source: at('gone'), destination: '/x' }], hostConfigFixture(), {
      hostname: '',
      hosts: '',
      resolvConf: '',
      hostMounts: () => [],
      hostOptions: () => [],
    });
  expect(run).toThrow(`bind source path does not exist: ${at('gone')}`);
});

test('tmpfsMountOptions: the user’s replace docker’s defaults', () => {
  expect(tmpfsMountOptions('')).toEqual(['noexec', 'nosuid', 'nodev']);
  expect(tmpfsMountOptions('exec,size=1m,rw')).toEqual(['nosuid', 'nodev', 'exec', 'size=1m', 'rw']);
});

test.each([
  [true, ['ro', 'nosuid'], ['rbind', 'ro', 'nosuid', 'rprivate']],
  [true, ['noexec'], ['rbind', 'rw', 'noexec', 'rprivate']],
  [false, ['ro', 'nodev'], ['rbind', 'rro', 'nodev', 'rprivate']],
])('a bind (writable: %j) of what the host has mounted %j', (rw, host, expected) => {
  const bind = { type: 'bind', name: '', driver: '', mode: '', propagation: '' } as const;
  const mount = { ...bind, source: at('root'), destination: '/x', rw };
  const context = { hostname: '', hosts: '', resolvConf: '', hostMounts: () => [], hostOptions: () => host };
  expect(specMounts([mount], hostConfigFixture(), context)[0]?.options).toEqual(expected);
});
