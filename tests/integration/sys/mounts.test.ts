import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import {
  appendFileSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errnoCode } from '#base';
import { createSys, MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_REMOUNT } from '#sys';
import { OverlayMounter } from '#sys/testing';

const { mounts } = createSys();
const mounter = new OverlayMounter({ takesSingleLayers: false });
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gantry-mounts-'));
});
afterEach(() => {
  for (const mount of mounts.list().toReversed()) {
    if (!mount.target.startsWith(dir)) continue;
    // EINVAL: where the root is shared (systemd) it has gone with its peer.
    const code = codeOf(() => mounts.unmount(mount.target, { detach: true }));
    if (code !== undefined) expect(code).toBe('EINVAL');
  }
  rmSync(dir, { recursive: true });
});

function folder(name: string): string {
  const path = join(dir, name);
  mkdirSync(path, { recursive: true });
  return path;
}

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    return errnoCode(error);
  }
  return undefined;
}

/** Before Linux 6.7 the kernel has the second way only. */
const overlayWays = [
  { way: 'as the kernel can', mountOverlay: mounts.mountOverlay },
  { way: 'by mount(2)', mountOverlay: mounter.mount.bind(mounter) },
];

describe.each(overlayWays)('mountOverlay $way', ({ mountOverlay }) => {
  test('neither length nor characters of a path matter', () => {
    const names = [
      'plain',
      'co:lon',
      'com,ma',
      'back\\slash',
      'quo"te',
      'new\nline',
      'x'.repeat(255),
      'ü'.repeat(120),
    ];
    const lowerdirs = names.map((name) => folder(name));
    for (const [index, lower] of lowerdirs.entries()) writeFileSync(join(lower, `f${index}`), 'x');
    const target = folder('mer:g,ed');
    mountOverlay({ lowerdirs, upperdir: folder('up:per\\'), workdir: folder('wo,rk'), target });
    for (const index of lowerdirs.keys()) expect(existsSync(join(target, `f${index}`))).toBe(true);
    writeFileSync(join(target, 'new'), 'x');
    expect(existsSync(join(dir, 'up:per\\', 'new'))).toBe(true);
    expect(mounts.list().find((mount) => mount.target === target)?.fstype).toBe('overlay');
  });

  test('120 layers, the first on top', () => {
    const lowerdirs = Array.from({ length: 120 }, (_, index) => folder(`layer-${index}-${'n'.repeat(100)}`));
    for (const [index, lower] of lowerdirs.entries()) writeFileSync(join(lower, 'same'), String(index));
    const target = folder('merged');
    mountOverlay({ lowerdirs, upperdir: folder('upper'), workdir: folder('work'), target });
    expect(readFileSync(join(target, 'same'), 'utf8')).toBe('0');
  });

  test('without an upper directory it is read-only, also with one layer', () => {
    for (const count of [1, 2]) {
      const lowerdirs = Array.from({ length: count }, (_, index) => folder(`lower-${count}-${index}`));
      writeFileSync(join(lowerdirs[0] ?? '', 'f'), 'x');
      const target = folder(`merged-${count}`);
      mountOverlay({ lowerdirs, target });
      expect(existsSync(join(target, 'f'))).toBe(true);
      expect(codeOf(() => writeFileSync(join(target, 'g'), ''))).toBe('EROFS');
    }
  });

  test('refuses to come up read-only where writing was asked for', () => {
    const target = folder('merged');
    const options = { lowerdirs: [folder('lower')], upperdir: folder('u'), workdir: folder('w'), target };
    // The kernel cannot clear its work directory then, and falls back to read-only.
    const busy = folder('w/work');
    mounts.bind(busy, busy);
    expect(codeOf(() => mountOverlay(options))).toBe('EROFS');
    expect(mounts.list().some((mount) => mount.target === target)).toBe(false);
    mounts.unmount(busy);
    mountOverlay(options);
  });

  test('names the directory that is missing and leaves nothing mounted', () => {
    const target = folder('merged');
    const lowerdirs = [join(dir, 'missing')];
    expect(() => mountOverlay({ lowerdirs, target })).toThrow('missing');
    const options = { lowerdirs: [folder('lower')], upperdir: folder('u'), workdir: folder('w'), target };
    expect(() => mountOverlay({ ...options, options: { nonsense: 'x' } })).toThrow(/nonsense/i);
    expect(mounts.list().some((mount) => mount.target === target)).toBe(false);
  });

  test('passes string and flag options', () => {
    const target = folder('merged');
    const options = { lowerdirs: [folder('lower')], upperdir: folder('u'), workdir: folder('w'), target };
    mountOverlay({ ...options, options: { index: 'off', userxattr: '' } });
    expect(mounts.list().find((mount) => mount.target === target)?.superOptions).toContain('userxattr');
  });

  test('lower directories are seen through a mapping, the upper one is not', () => {
    const range = { containerID: 0, hostID: 300_000, size: 65_536 };
    const lower = folder('lower');
    for (const [name, id] of [
      ['root', 0],
      ['web', 33],
    ] as const) {
      writeFileSync(join(lower, name), name);
      chownSync(join(lower, name), id, id + 1);
    }
    const [upperdir, workdir, target] = [folder('u'), folder('w'), folder('merged')];
    const lowerMappings = { uids: [range], gids: [range] };
    mountOverlay({ lowerdirs: [lower], upperdir, workdir, target, lowerMappings });
    const owner = (path: string) => [statSync(path).uid, statSync(path).gid];
    expect(owner(join(target, 'root'))).toEqual([300_000, 300_001]);
    expect(owner(join(target, 'web'))).toEqual([300_033, 300_034]);
    appendFileSync(join(target, 'web'), '!');
    expect(owner(join(upperdir, 'web'))).toEqual([300_033, 300_034]);
    expect(owner(join(lower, 'web'))).toEqual([33, 34]);
    writeFileSync(join(target, 'new'), '');
    expect(owner(join(upperdir, 'new'))).toEqual([0, 0]);
    expect(mounts.list().filter((mount) => mount.target === target)).toHaveLength(1);
    expect(readdirSync(lower).toSorted()).toEqual(['root', 'web']);
  });
});

test('bind: read-only leaves the other flags of the source', () => {
  const source = folder('source');
  mounts.mount({
    source: 'x',
    target: source,
    fstype: 'tmpfs',
    flags: MS_NOSUID | MS_NODEV,
    data: 'size=64k',
  });
  const target = folder('target');
  mounts.bind(source, target, { readonly: true });
  const found = mounts.list().find((mount) => mount.target === target);
  expect(found?.options).toEqual(expect.arrayContaining(['ro', 'nosuid', 'nodev']));
  writeFileSync(join(source, 'still-writable'), '');
  expect(codeOf(() => writeFileSync(join(target, 'x'), ''))).toBe('EROFS');
});

test('bind: recursive takes mounts below along, and makes them read-only too', () => {
  const inner = folder('source/inner');
  mounts.mount({ source: 'x', target: inner, fstype: 'tmpfs' });
  writeFileSync(join(inner, 'f'), '');
  const [shallow, deep] = [folder('shallow'), folder('deep')];
  mounts.bind(join(dir, 'source'), shallow);
  expect(existsSync(join(shallow, 'inner/f'))).toBe(false);
  mounts.bind(join(dir, 'source'), deep, { recursive: true, readonly: true });
  expect(existsSync(join(deep, 'inner/f'))).toBe(true);
  expect(codeOf(() => writeFileSync(join(deep, 'inner/g'), ''))).toBe('EROFS');
});

test('bind: a file on a file', () => {
  const [source, target] = [join(dir, 'a'), join(dir, 'b')];
  writeFileSync(source, 'from a');
  writeFileSync(target, 'from b');
  mounts.bind(source, target);
  expect(readFileSync(target, 'utf8')).toBe('from a');
});

test('mount: remounts with other flags', () => {
  const target = folder('t');
  mounts.mount({ source: 'gantry test', target, fstype: 'tmpfs', data: 'size=64k' });
  mounts.mount({ target, flags: MS_REMOUNT | MS_NOEXEC });
  const found = mounts.list().find((mount) => mount.target === target);
  expect(found).toMatchObject({ fstype: 'tmpfs', source: 'gantry test' });
  expect(found?.options).toContain('noexec');
});

test('setPropagation: is what the mount table says', () => {
  const target = folder('t');
  mounts.bind(target, target);
  mounts.setPropagation(target, 'shared');
  const propagation = () => mounts.list().find((mount) => mount.target === target)?.propagation;
  expect(propagation()?.[0]).toStartWith('shared:');
  mounts.setPropagation(target, 'rprivate');
  expect(propagation()).toEqual([]);
  mounts.setPropagation(target, 'unbindable');
  expect(propagation()).toEqual(['unbindable']);
});

test('unmount: does not follow a symlink', () => {
  const target = folder('real target');
  mounts.bind(target, target);
  symlinkSync(target, join(dir, 'link'));
  expect(codeOf(() => mounts.unmount(join(dir, 'link')))).toBe('EINVAL');
  expect(mounts.list().some((mount) => mount.target === target)).toBe(true);
});

test('unshareMount: what a Worker mounts in its own namespace is not seen here', async () => {
  const target = folder('t');
  const script = `
    import { createSys } from '${join(import.meta.dir, '../../../src/sys/index.ts')}';
    const sys = createSys();
    sys.namespaces.unshareMount();
    sys.mounts.setPropagation('/', 'rprivate');
    sys.mounts.bind(${JSON.stringify(target)}, ${JSON.stringify(target)});
    postMessage(sys.mounts.list().some((mount) => mount.target === ${JSON.stringify(target)}));
  `;
  const url = URL.createObjectURL(new Blob([script], { type: 'application/typescript' }));
  const worker = new Worker(url);
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  worker.onmessage = (event) => resolve(event.data);
  worker.onerror = (event) => reject(new Error(event.message));
  expect(await promise).toBe(true);
  expect(mounts.list().some((mount) => mount.target === target)).toBe(false);
  worker.terminate();
});
