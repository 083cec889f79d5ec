import { afterEach, beforeEach, expect, test } from 'bun:test';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFakeSys } from '#sys/testing';
import { createDirectorySnapshotter, type DirectorySnapshotter } from '../testing/directory-snapshotter.ts';
import { WorkingDirectories } from './working-directory.ts';

let directory: string;
let snapshotter: DirectorySnapshotter;
let mounts: string[];
const sys = createFakeSys();

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gantry-working-'));
  const image = join(directory, 'image');
  mkdirSync(join(image, 'srv'), { recursive: true });
  writeFileSync(join(image, 'file'), '');
  symlinkSync('/srv', join(image, 'link'));
  symlinkSync('../../../../later', join(image, 'dangling'));
  const made = createDirectorySnapshotter(join(directory, 'snapshots'), image);
  mounts = [];
  const mount = (key: string) => {
    mounts.push(key);
    return made.mount(key);
  };
  snapshotter = { ...made, mount, mounted: made.mounted };
});
afterEach(() => rmSync(directory, { recursive: true }));

async function make(directories: WorkingDirectories, key: string, path: string): Promise<void> {
  await snapshotter.createSnapshot(key, undefined);
  const options = { key, directory: path, chainId: 'sha256:1', idMappings: undefined };
  directories.make({ snapshotter, sys }, options);
}
const inside = (key: string, path: string) => join(directory, 'snapshots', key, path);

test('what is missing is made, links within the container followed, and nothing stays mounted', async () => {
  const directories = new WorkingDirectories();
  await make(directories, 'one', '/x/y');
  expect(statSync(inside('one', 'x/y')).mode & 0o777).toBe(0o755);
  await make(directories, 'two', '/link/sub');
  expect(statSync(inside('two', 'srv/sub')).isDirectory()).toBe(true);
  await make(directories, 'three', '/dangling');
  expect(statSync(inside('three', 'later')).isDirectory()).toBe(true);
  expect(existsSync(join(directory, 'later'))).toBe(false);
  expect([...snapshotter.mounted]).toEqual([]);
});

test('a directory that an image is known to have costs no mount; one that was made does each time', async () => {
  const directories = new WorkingDirectories();
  for (const key of ['one', 'two', 'three']) await make(directories, key, '/srv');
  for (const key of ['four', 'five']) await make(directories, key, '/x');
  for (const [key, path] of [
    ['six', ''],
    ['seven', '/'],
  ] as const)
    await make(directories, key, path);
  expect(mounts).toEqual(['one', 'four', 'five']);
  expect(existsSync(inside('five', 'x'))).toBe(true);
});

test.each(['/file', '/file/below'])('%s is refused, and nothing stays mounted', async (path) => {
  await expect(make(new WorkingDirectories(), 'one', path)).rejects.toMatchObject({
    code: 'internal',
    message: `Cannot mkdir: ${path} is not a directory`,
  });
  expect([...snapshotter.mounted]).toEqual([]);
});
