import { afterEach, beforeEach, expect, test } from 'bun:test';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Spec } from '#oci';
import { SysError } from '#sys';
import { createFakeSys, type FakeSys } from '#sys/testing';
import { removeStagedMounts, StagedMounts } from './staged-mounts.ts';

let root: string;
let sys: FakeSys;
let staging: string;
const at = (...names: string[]) => join(root, ...names);
const here = { run: <T>(action: () => T): T => action(), shows: (path: string) => path.endsWith('hosts') };

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'staged-'));
  sys = createFakeSys();
  staging = at('mounts', 'x');
  for (const name of ['tree', 'volume', 'mounts']) mkdirSync(at(name));
  for (const name of ['hosts', 'netns', 'config']) writeFileSync(at(name), name);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

type Four = [string, string, string, string];

const bind = (source: string) => ({ type: 'bind', source, destination: '/x' });
const spec = (sources: readonly string[]): Spec =>
  ({
    root: { path: at('tree'), readonly: true },
    mounts: [{ type: 'proc', source: 'proc', destination: '/proc' }, ...sources.map(bind)],
    linux: {
      namespaces: [
        { type: 'pid' },
        { type: 'network', path: at('netns') },
        { type: 'ipc', path: '/proc/1/ns/ipc' },
      ],
    },
  }) as unknown as Spec;

test('all that a start needs is in its directory, but what is seen anyway', () => {
  using staged = new StagedMounts(staging, here, sys);
  const seen = staged.stage(spec([at('volume'), at('hosts'), at('config'), at('volume')]));
  const [volume, config, netns, tree] = [0, 1, 2, 3].map((number) => join(staging, `${number}`)) as Four;
  expect(seen.mounts.map(({ source }) => source)).toEqual(['proc', volume, at('hosts'), config, volume]);
  expect(seen.linux.namespaces.map(({ path }) => path)).toEqual([undefined, netns, '/proc/1/ns/ipc']);
  expect(seen.root).toEqual({ path: tree, readonly: true });
  expect(sys.mounts.list()).toEqual([]);
  const attached = staged.run(() => sys.mounts.list().map(({ source, target }) => [source, target]));
  expect(attached).toEqual([
    [at('volume'), volume],
    [at('config'), config],
    [at('netns'), netns],
    [at('tree'), tree],
  ]);
});

test('a source that is missing keeps its name; a mount that cannot be copied is an error', () => {
  using staged = new StagedMounts(staging, here, sys);
  expect(staged.stage(spec([at('missing')])).mounts.at(-1)?.source).toBe(at('missing'));
  sys.failNext('mounts.clone', new SysError('EINVAL', 'open_tree'));
  expect(() => staged.stage(spec([at('volume')]))).toThrow('open_tree: invalid argument');
});

test("the runtime's words name what the user knows", () => {
  using staged = new StagedMounts(staging, here, sys);
  const sources = Array.from({ length: 12 }, (_, index) => at(`source-${index}`));
  for (const source of sources) mkdirSync(source);
  const seen = staged.stage(spec(sources));
  const text = seen.mounts.map(({ source }) => `cannot mount ${source}: no`).join();
  expect(staged.withSources(text)).toBe(
    ['proc', ...sources].map((source) => `cannot mount ${source}: no`).join(),
  );
});

test('removed without looking into what may still be mounted', async () => {
  await removeStagedMounts(staging);
  using staged = new StagedMounts(staging, here, sys);
  staged.stage(spec([at('volume'), at('config')]));
  expect(readdirSync(staging)).toHaveLength(4);
  writeFileSync(join(staging, '0', 'of-the-user'), '');
  await expect(removeStagedMounts(staging)).rejects.toThrow('ENOTEMPTY');
  expect(readdirSync(join(staging, '0'))).toEqual(['of-the-user']);
  rmSync(join(staging, '0', 'of-the-user'));
  await Promise.all([removeStagedMounts(staging), removeStagedMounts(staging)]);
  expect(existsSync(staging)).toBe(false);
});
