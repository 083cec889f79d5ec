import { afterAll, describe, expect, test } from 'bun:test';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PathStat } from '#api';
import { notFound, readTar, type TarHeader, type TarInput, writeTar } from '#base';
import type { ResponseBody } from '#client';
import { runForTest } from '../testing/index.ts';

const root = mkdtempSync(join(tmpdir(), 'gantry-cp-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let directories = 0;
function freshDirectory(): string {
  directories += 1;
  const path = join(root, `d${directories}`);
  mkdirSync(path);
  return path;
}

const DIRECTORY = 0x8000_0000 + 0o755;
const SYMLINK = 0x0800_0000 + 0o777;

const stat = (mode: number, linkTarget = ''): PathStat => ({
  name: 'x',
  size: 0,
  mode,
  mtime: '2024-01-02T03:04:05Z',
  linkTarget,
});

const body = (members: readonly TarInput[]): ResponseBody =>
  Object.assign(writeTar(members), { discard: () => {} }) as unknown as ResponseBody;

const file = (path: string, text = 'text', header: Partial<TarHeader> = {}): TarInput => ({
  header: { path, ...header },
  body: text,
});

/** Copies an archive that a container sends to `to`. */
const fromContainer = (
  members: readonly TarInput[],
  to: string,
  options: {
    readonly source?: string;
    readonly isDirectory?: boolean;
    readonly flags?: readonly string[];
  } = {},
) =>
  runForTest(['cp', ...(options.flags ?? []), options.source ?? 'c:/x', to], {
    calls: {
      containers: {
        readArchive: async () => ({
          stat: stat(options.isDirectory ? DIRECTORY : 0o644),
          body: body(members),
        }),
      },
    },
  });

interface Upload {
  readonly container: string;
  readonly path: string;
  readonly members: (TarHeader & { readonly text: string })[];
  readonly copyUidGid: boolean;
}

/** Copies into a container in which `paths` exist; answers what was uploaded. */
async function intoContainer(
  args: readonly string[],
  paths: Readonly<Record<string, PathStat>>,
  extra: { readonly stdin?: string; readonly source?: readonly TarInput[] } = {},
): Promise<{ readonly run: Awaited<ReturnType<typeof runForTest>>; readonly upload: Upload | undefined }> {
  let upload: Upload | undefined;
  const run = await runForTest(['cp', ...args], {
    stdin: extra.stdin ?? '',
    calls: {
      containers: {
        statPath: async (_ref, path) => paths[path] ?? Promise.reject(notFound('nothing there')),
        readArchive: async () => ({ stat: stat(0o644), body: body(extra.source ?? []) }),
        writeArchive: async (container, path, archive, options) => {
          const members: Upload['members'] = [];
          for await (const entry of readTar(archive))
            members.push({ ...entry.header, text: new TextDecoder().decode(await entry.bytes(1e6)) });
          upload = { container, path, members, copyUidGid: options?.copyUidGid ?? false };
        },
      },
    },
  });
  return { run, upload };
}

const names = (upload: Upload | undefined) => upload?.members.map(({ path }) => path);

describe('cp from a container', () => {
  test('a file: into a directory, under a new name, over a file, through a link', async () => {
    const to = freshDirectory();
    writeFileSync(join(to, 'old'), 'old', { mode: 0o600 });
    symlinkSync('target', join(to, 'link'));
    const members = [file('x', 'new', { mode: 0o640 })];
    for (const name of ['', 'named', 'old', 'link'])
      expect(await fromContainer(members, join(to, name))).toMatchObject({ exitCode: 0, stderr: '' });
    for (const name of ['x', 'named', 'old', 'target'])
      expect(readFileSync(join(to, name), 'utf8')).toBe('new');
    expect(lstatSync(join(to, 'old')).mode & 0o7777).toBe(0o640);
    expect(readlinkSync(join(to, 'link'))).toBe('target');
  });

  test('a tree with modes, times, links and empty directories', async () => {
    const to = freshDirectory();
    const members: TarInput[] = [
      { header: { path: 'x', type: 'directory', mode: 0o500, mtimeNs: 1_000_000_000n } },
      file('x/a', 'a'),
      { header: { path: 'x/b', type: 'hardlink', linkPath: 'x/a' } },
      { header: { path: 'x/c', type: 'symlink', linkPath: '/etc/passwd' } },
      { header: { path: 'x/sub/deep', type: 'directory', mode: 0o755 } },
    ];
    const run = await fromContainer(members, join(to, 'copy'), { isDirectory: true });
    expect(run).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect(lstatSync(join(to, 'copy')).mode & 0o777).toBe(0o500);
    expect(lstatSync(join(to, 'copy')).mtimeMs).toBe(1000);
    expect(lstatSync(join(to, 'copy/a')).ino).toBe(lstatSync(join(to, 'copy/b')).ino);
    expect(readlinkSync(join(to, 'copy/c'))).toBe('/etc/passwd');
    expect(lstatSync(join(to, 'copy/sub/deep')).isDirectory()).toBe(true);
    chmodSync(join(to, 'copy'), 0o700);
  });

  test("the contents of a directory leave the destination's own mode alone", async () => {
    const to = freshDirectory();
    chmodSync(to, 0o700);
    const members = [{ header: { path: './', type: 'directory' as const, mode: 0o1777 } }, file('./f')];
    await fromContainer(members, to, { isDirectory: true, source: 'c:/x/.' });
    expect(lstatSync(to).mode & 0o7777).toBe(0o700);
    expect(existsSync(join(to, 'f'))).toBe(true);
  });

  test.each<[string, TarInput[]]>([
    ['a name with ..', [file('x/../../out')]],
    ['a name that is not of the source', [file('out')]],
    ['a file behind a link', [link('x', '..'), file('x/out')]],
    ['a directory behind a link', [link('x', '..'), { header: { path: 'x/out', type: 'directory' } }]],
    ['a hard link out', [{ header: { path: 'x', type: 'hardlink', linkPath: 'x/../../../../etc/passwd' } }]],
    [
      'a hard link through a link',
      [
        { header: { path: 'x', type: 'directory' } },
        link('x/l', '/etc'),
        { header: { path: 'x/out', type: 'hardlink', linkPath: 'x/l/passwd' } },
      ],
    ],
  ])('a hostile archive does not lead out: %s', async (_name, members) => {
    const parent = freshDirectory();
    const to = join(parent, 'to');
    mkdirSync(to);
    const run = await fromContainer(members, to, { isDirectory: true });
    expect(run.exitCode).toBe(1);
    expect(run.stderr).not.toBe('');
    for (const outside of ['out', 'to/out']) expect(existsSync(join(parent, outside))).toBe(false);
    expect(existsSync(join(to, 'x/out'))).toBe(false);
  });

  test('a link the archive made is replaced, not written through', async () => {
    const parent = freshDirectory();
    writeFileSync(join(parent, 'victim'), 'mine');
    const to = join(parent, 'to');
    mkdirSync(to);
    await fromContainer([link('x', '../victim'), file('x', 'evil')], to);
    expect(readFileSync(join(parent, 'victim'), 'utf8')).toBe('mine');
    expect(readFileSync(join(to, 'x'), 'utf8')).toBe('evil');
  });

  test('set-user-ID bits and devices do not arrive', async () => {
    const to = freshDirectory();
    await fromContainer([file('x', '', { mode: 0o4755 })], to);
    expect(lstatSync(join(to, 'x')).mode & 0o7777).toBe(0o755);
    const device = { header: { path: 'x', type: 'block' as const, devMajor: 8, devMinor: 0 } };
    const run = await fromContainer([device], join(to, 'device'));
    expect(run).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('skipped device') });
    expect(existsSync(join(to, 'device'))).toBe(false);
  });

  test('kinds that do not fit', async () => {
    const to = freshDirectory();
    writeFileSync(join(to, 'file'), '');
    mkdirSync(join(to, 'x'));
    const tree = [{ header: { path: 'x', type: 'directory' as const } }];
    const cases = [
      [await fromContainer(tree, join(to, 'file'), { isDirectory: true }), 'cannot copy directory\n'],
      [await fromContainer([file('x')], join(to, 'none/')), 'no such directory\n'],
      [await fromContainer([file('x')], to), 'cannot overwrite directory "x" with non-directory\n'],
      [
        await fromContainer([file('x')], join(to, 'none/y')),
        `invalid output path: directory "${to}/none" does not exist\n`,
      ],
      [
        await fromContainer([file('x')], '/dev/null'),
        'invalid output path: "/dev/null" must be a directory or a regular file: got a device\n',
      ],
    ] as const;
    for (const [run, stderr] of cases) expect(run).toEqual({ exitCode: 1, stdout: '', stderr });
  });

  test('- is the archive itself; -L reads what a link leads to under its own name', async () => {
    expect((await fromContainer([file('x', 'raw')], '-')).stdout).toContain('raw');
    const to = freshDirectory();
    const asked: string[] = [];
    await runForTest(['cp', '-L', 'c:/dir/link', to], {
      calls: {
        containers: {
          statPath: async () => stat(SYMLINK, '/real/file'),
          readArchive: async (_ref, path) => {
            asked.push(path);
            return { stat: stat(0o644), body: body([file('file', 'real')]) };
          },
        },
      },
    });
    expect(asked).toEqual(['/real/file']);
    expect(readFileSync(join(to, 'link'), 'utf8')).toBe('real');
  });

  test('says what it copied only on a terminal', async () => {
    const to = freshDirectory();
    const copy = (flags: readonly string[]) =>
      runForTest(['cp', ...flags, 'c:/x', to], {
        terminal: true,
        calls: { containers: { readArchive: async () => ({ stat: stat(0o644), body: body([file('x')]) }) } },
      });
    expect((await copy([])).stderr).toEndWith(`Successfully copied 2.05kB to ${to}\n`);
    expect((await copy(['-q'])).stderr).toBe('');
  });
});

function link(path: string, linkPath: string): TarInput {
  return { header: { path, type: 'symlink', linkPath } };
}

describe('cp into a container', () => {
  const source = freshDirectory();
  mkdirSync(join(source, 'tree/sub'), { recursive: true });
  writeFileSync(join(source, 'tree/sub/a'), 'a');
  linkSync(join(source, 'tree/sub/a'), join(source, 'tree/sub/b'));
  symlinkSync('sub/a', join(source, 'tree/link'));
  symlinkSync('tree', join(source, 'treelink'));

  test('a tree into a directory, as a new one, and its contents', async () => {
    const tree = join(source, 'tree');
    const inner = ['link', 'sub/', 'sub/a', 'sub/b'];
    const into = await intoContainer([tree, 'c:/srv'], { '/srv': stat(DIRECTORY) });
    expect(into.upload).toMatchObject({ container: 'c', path: '/srv', copyUidGid: false });
    expect(names(into.upload)).toEqual(['tree/', ...inner.map((name) => `tree/${name}`)]);
    expect(into.upload?.members.at(-1)).toMatchObject({ type: 'hardlink', linkPath: 'tree/sub/a' });
    expect(into.upload?.members[3]).toMatchObject({ type: 'file', text: 'a' });
    const asNew = await intoContainer(['-a', tree, 'c:/srv/new'], {});
    expect(asNew.upload).toMatchObject({ path: '/srv', copyUidGid: true });
    expect(names(asNew.upload)).toEqual(['new/', ...inner.map((name) => `new/${name}`)]);
    const contents = await intoContainer([`${tree}/.`, 'c:/srv'], { '/srv': stat(DIRECTORY) });
    expect(names(contents.upload)).toEqual(['./', ...inner.map((name) => `./${name}`)]);
  });

  test('links: as they are, followed with -L, and those at the destination', async () => {
    const asLink = await intoContainer([join(source, 'treelink'), 'c:/srv'], { '/srv': stat(DIRECTORY) });
    expect(asLink.upload?.members).toMatchObject([{ path: 'treelink', type: 'symlink', linkPath: 'tree' }]);
    const followed = await intoContainer(['-L', join(source, 'treelink'), 'c:/srv'], {
      '/srv': stat(DIRECTORY),
    });
    expect(names(followed.upload)?.slice(0, 2)).toEqual(['treelink/', 'treelink/link']);
    const through = await intoContainer([join(source, 'tree/sub/a'), 'c:/current'], {
      '/current': stat(SYMLINK, '/releases/1'),
      '/releases/1': stat(DIRECTORY),
    });
    expect(through.upload).toMatchObject({ path: '/releases/1', members: [{ path: 'a' }] });
  });

  test('--chown, an archive from standard input, between containers', async () => {
    const owned = await intoContainer(['--chown', '12:34', join(source, 'tree/sub/a'), 'c:/a'], {});
    expect(owned.upload?.members).toMatchObject([{ path: 'a', uid: 12, gid: 34 }]);
    const parts: Uint8Array[] = [];
    for await (const chunk of writeTar([file('in', 'stdin')])) parts.push(chunk.slice());
    const stdin = Buffer.concat(parts).toString('latin1');
    const streamed = await intoContainer(['-', 'c:/srv'], { '/srv': stat(DIRECTORY) }, { stdin });
    expect(streamed.upload?.members).toMatchObject([{ path: 'in', text: 'stdin' }]);
    const across = await intoContainer(['one:/x', 'two:/y'], {}, { source: [file('x', 'moved')] });
    expect(across.upload).toMatchObject({
      container: 'two',
      path: '/',
      members: [{ path: 'y', text: 'moved' }],
    });
  });

  test.each<[string, string]>([
    ['a b', 'must specify at least one container source'],
    ['/none/such c:/x', 'lstat /none: no such file or directory'],
    ['- c:/file', 'destination "c:/file" must be a directory'],
    ['--chown root /etc/passwd c:/file', 'invalid owner "root": expected UID[:GID] in numbers'],
  ])('cp %s is refused', async (line, message) => {
    const { run } = await intoContainer(line.split(' '), { '/file': stat(0o644) });
    expect(run).toEqual({ exitCode: 1, stdout: '', stderr: `${message}\n` });
  });
});
