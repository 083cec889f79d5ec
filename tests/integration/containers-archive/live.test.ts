import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { chownSync, existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readTar, type TarInput, writeTar } from '#base';
import { createFdOps, createSys } from '#sys';
import {
  type ArchiveSource,
  openLiveTree,
  openStoppedTree,
  readArchive,
  statArchive,
  writeArchive,
} from '../../../src/containers/archive/index.ts';
import { startContainer, type TestContainer } from './container.ts';

const sys = createSys();
const fdOps = createFdOps();
let container: TestContainer;

beforeAll(async () => {
  container = await startContainer({
    prepare: (rootfs, volume) => {
      symlinkSync('/run', join(rootfs, 'var/run'));
      writeFileSync(join(rootfs, 'run/pid'), '1');
      writeFileSync(join(rootfs, 'etc/owned'), 'x');
      chownSync(join(rootfs, 'etc/owned'), 33, 44);
      writeFileSync(join(volume, 'data'), 'volume');
    },
  });
});
afterAll(async () => {
  await container[Symbol.asyncDispose]();
});

async function read(path: string, source: ArchiveSource = container.source): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const entry of readTar(readArchive(source, path).stream))
    found.set(entry.header.path, Buffer.from(await entry.bytes(1e7)).toString());
  return found;
}

const write = (path: string, members: readonly TarInput[], source: ArchiveSource = container.source) =>
  writeArchive(source, path, writeTar(members), { fdOps });
const file = (path: string, body = 'new'): TarInput => ({ header: { path, uid: 7, gid: 8 }, body });
const inside = (path: string): string => `/proc/${container.pid}/root${path}`;

describe('a running container', () => {
  test('its tmpfs, volumes and bound files are seen, absolute links work', async () => {
    expect([...(await read('/tmpfs'))]).toEqual([
      ['tmpfs/', ''],
      ['tmpfs/only-here', 'inside\n'],
    ]);
    expect((await read('/vol/data')).get('data')).toBe('volume');
    expect((await read('/etc/hosts')).get('hosts')).toBe('bound');
    expect((await read('/var/run/pid')).get('pid')).toBe('1');
    expect(statArchive(container.source, '/var/run').linkTarget).toBe('/run');
    expect((await read('/etc')).get('etc/hosts')).toBe('bound');
  });

  test('the whole root comes without what the kernel mounts', async () => {
    const names = [...(await read('/')).keys()];
    expect(names).toContain('/proc/');
    expect(names.filter((name) => name.startsWith('/proc/'))).toEqual(['/proc/']);
    expect(names).toContain('/tmpfs/only-here');
    expect(names).toContain('/vol/data');
  });

  test('what the links in /proc point to cannot be reached', async () => {
    // As a link it may be seen; it does not lead anywhere.
    expect([...(await read('/proc/self/exe').catch(() => []))].length).toBeLessThan(2);
    for (const path of [`/proc/${container.pid}/root/etc`, '/proc/1/cwd/x', '/proc/1/root/etc/passwd'])
      expect(() => statArchive(container.source, path)).toThrow();
    expect(() => statArchive(container.source, `/proc/${container.pid}/root/`)).toThrow();
    await expect(write(`/proc/${container.pid}/root`, [file('f')])).rejects.toMatchObject({
      code: 'invalid_argument',
    });
  });

  test('files arrive with the archive’s owner, also in tmpfs and volumes', async () => {
    await write('/tmpfs', [file('new')]);
    await write('/var/run', [file('new')]);
    await write('/', [file('vol/new')]);
    for (const path of ['/tmpfs/new', '/run/new', '/vol/new']) {
      expect(readFileSync(inside(path), 'utf8')).toBe('new');
      expect(statSync(inside(path))).toMatchObject({ uid: 7, gid: 8 });
    }
    expect(existsSync(join(container.volume, 'new'))).toBe(true);
    expect(existsSync(join(container.rootfs, 'tmpfs/new'))).toBe(false);
  });

  test('copying from container to container keeps owners', async () => {
    const { stream } = readArchive(container.source, '/etc/owned');
    await writeArchive(container.source, '/tmpfs', stream, { fdOps });
    expect(statSync(inside('/tmpfs/owned'))).toMatchObject({ uid: 33, gid: 44 });
  });

  test('read-only mounts are refused with docker’s texts, also when a member reaches one', async () => {
    await expect(write('/ro', [file('f')])).rejects.toMatchObject({
      code: 'forbidden',
      message: 'mounted volume is marked read-only',
    });
    await expect(write('/', [file('ro/f')])).rejects.toMatchObject({ code: 'forbidden' });
    expect(existsSync(join(container.volume, 'f'))).toBe(false);
  });

  test('a bound file is neither replaced nor unmounted', async () => {
    for (const [path, name] of [
      ['/etc', 'hosts'],
      ['/', 'vol'],
      ['/', 'etc'],
    ] as const)
      await expect(write(path, [file(name)])).rejects.toMatchObject({ code: 'conflict' });
    expect(readFileSync(inside('/etc/hosts'), 'utf8')).toBe('bound');
    expect(readFileSync(inside('/vol/data'), 'utf8')).toBe('volume');
  });

  test('file capabilities and device nodes survive the way in and out', async () => {
    // cap_net_raw+ep, revision 2.
    const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex');
    await write('/etc', [
      {
        header: { path: 'ping', mode: 0o755, xattrs: new Map([['security.capability', capability]]) },
        body: 'elf',
      },
      { header: { path: 'null', type: 'character', devMajor: 1, devMinor: 3, mode: 0o666 } },
    ]);
    const headers = new Map<string, unknown>();
    for await (const { header } of readTar(readArchive(container.source, '/etc').stream))
      headers.set(header.path, header);
    expect(headers.get('etc/null')).toMatchObject({ type: 'character', devMajor: 1, devMinor: 3 });
    const { xattrs } = headers.get('etc/ping') as { xattrs: ReadonlyMap<string, Uint8Array> };
    expect(Buffer.from(xattrs.get('security.capability') ?? []).toString('hex')).toBe(
      capability.toString('hex'),
    );
  });
});

test('a read-only root is refused, its tmpfs and volume are not', async () => {
  await using readOnly = await startContainer({ readonlyRootfs: true });
  await expect(write('/etc', [file('f')], readOnly.source)).rejects.toMatchObject({
    code: 'forbidden',
    message: 'container rootfs is marked read-only',
  });
  await write('/tmpfs', [file('f')], readOnly.source);
  await write('/vol', [file('f')], readOnly.source);
  expect(existsSync(join(readOnly.volume, 'f'))).toBe(true);
});

describe('openLiveTree', () => {
  test('is undefined for a process that is not the container’s, or is gone', async () => {
    const { pid, id } = container;
    expect(openLiveTree(sys, { pid: process.pid, containerId: id })).toBeUndefined();
    expect(openLiveTree(sys, { pid, containerId: 'another' })).toBeUndefined();
    const gone = await startContainer();
    await gone.kill();
    expect(openLiveTree(sys, { pid: gone.pid, containerId: gone.id })).toBeUndefined();
    await gone[Symbol.asyncDispose]();
  });
});

test('a stopped container on the real kernel: what was written is there', async () => {
  const { rootfs, volume } = container;
  const source: ArchiveSource = {
    ref: 'web',
    open: () =>
      openStoppedTree(sys.files, {
        rootfs,
        readonlyRootfs: false,
        mounts: [{ destination: '/var/run/vol', source: volume, readOnly: false }],
      }),
  };
  await write('/var/run/vol', [file('stopped')], source);
  expect(statSync(join(volume, 'stopped'))).toMatchObject({ uid: 7, gid: 8 });
  expect((await read('/run/vol/stopped', source)).get('stopped')).toBe('new');
});
