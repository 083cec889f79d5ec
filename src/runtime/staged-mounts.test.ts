import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
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
const here = {
  run: <T>(action: () => T): T => action(),
  shows: (path: string) => path.endsWith('hosts'),
  cloneUnbindable: (path: string) => sys.mounts.clone(`unbindable ${path}`),
};

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'staged-'));
  sys = createFakeSys();
  staging = at('mounts', 'x');
  for (const name of ['tree', 'volume', 'mounts']) mkdirSync(at(name));
  for (const name of ['hosts', 'netns', 'config']) writeFileSync(at(name), name);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

type Three = [string, string, string];

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
  const [volume, config, tree] = [0, 1, 2].map((number) => `${staging}.${number}`) as Three;
  expect(seen.mounts.map(({ source }) => source)).toEqual(['proc', volume, at('hosts'), config, volume]);
  const [, network, ipc] = seen.linux.namespaces.map(({ path }) => path);
  expect([readlinkSync(network ?? ''), ipc]).toEqual([at('netns'), '/proc/1/ns/ipc']);
  expect(seen.root).toEqual({ path: tree, readonly: true });
  expect(sys.mounts.list()).toEqual([]);
  const attached = staged.run(() => sys.mounts.list().map(({ source, target }) => [source, target]));
  expect(attached).toEqual([
    [at('volume'), volume],
    [at('config'), config],
    [at('tree'), tree],
  ]);
});

test('a source that is missing keeps its name, an unbindable one is copied in another way, or it is an error', () => {
  using staged = new StagedMounts(staging, here, sys);
  expect(staged.stage(spec([at('missing')])).mounts.at(-1)?.source).toBe(at('missing'));
  sys.failNext('mounts.clone', new SysError('EINVAL', 'open_tree'));
  const source = staged.stage(spec([at('volume')])).mounts.at(-1)?.source;
  expect(staged.run(() => sys.mounts.list().find(({ target }) => target === source)?.source)).toBe(
    `unbindable ${at('volume')}`,
  );
  sys.failNext('mounts.clone', new SysError('EMFILE', 'open_tree'));
  expect(() => staged.stage(spec([at('config')]))).toThrow('open_tree: too many open files');
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

test('removed without looking into what may still be mounted, and nothing else', async () => {
  await removeStagedMounts(staging);
  using staged = new StagedMounts(staging, here, sys);
  using other = new StagedMounts(`${staging}y`, here, sys);
  for (const start of [staged, other]) start.stage(spec([at('volume'), at('config')]));
  expect(readdirSync(at('mounts'))).toHaveLength(6);
  writeFileSync(join(`${staging}.0`, 'of-the-user'), '');
  await expect(removeStagedMounts(staging)).rejects.toThrow('ENOTEMPTY');
  expect(readdirSync(`${staging}.0`)).toEqual(['of-the-user']);
  rmSync(join(`${staging}.0`, 'of-the-user'));
  await Promise.all([removeStagedMounts(staging), removeStagedMounts(staging)]);
  expect(readdirSync(at('mounts')).toSorted()).toEqual(['xy.0', 'xy.1', 'xy.2']);
});
