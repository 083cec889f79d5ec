import { afterEach, beforeEach, expect, test } from 'bun:test';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createSys } from '#sys';
import { eventually } from '../../harness/eventually.ts';
import { findLeaks, type Inventory, takeInventory } from '../../harness/leaks.ts';
import { RUN_VARIABLE, type TestRun } from '../../harness/test-run.ts';

const sys = createSys();
let own: TestRun;
let other: TestRun;
let before: Inventory;
let cleanup: AsyncDisposableStack;

beforeEach(() => {
  cleanup = new AsyncDisposableStack();
  [own, other] = [invent(), invent()];
  before = takeInventory(own);
});
afterEach(() => cleanup.disposeAsync());

/** A run beside the one these tests are in. */
function invent(): TestRun {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-run-'));
  cleanup.defer(() => rmSync(directory, { recursive: true }));
  return { name: basename(directory), directory };
}

const leaks = () => findLeaks(before, takeInventory(own));

/** In a network namespace of its own, as the processes of another run are. */
function spawnApart(args: readonly string[], env: Record<string, string> = {}): Bun.Subprocess {
  const child = Bun.spawn(['unshare', '--net', '--', ...args], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
  });
  cleanup.defer(async () => {
    child.kill('SIGKILL');
    await child.exited;
  });
  return child;
}

async function mountAt(path: string, ...flags: string[]): Promise<void> {
  await run('mount', ...flags, path);
  cleanup.defer(() => run('umount', path));
}

async function run(...command: string[]): Promise<void> {
  const child = Bun.spawn(command, { stderr: 'pipe' });
  if ((await child.exited) !== 0)
    throw new Error(`${command.join(' ')}: ${await new Response(child.stderr).text()}`);
}

/** Leaks one thing of each kind that is no process. */
async function leak({ name, directory }: TestRun): Promise<void> {
  const cgroup = `/${name}-daemon/container`;
  cleanup.defer(() => {
    sys.cgroups.remove(`/${name}-daemon`);
  });
  sys.cgroups.create(cgroup);
  mkdirSync(join(directory, 'tree'));
  await mountAt(join(directory, 'tree'), '-t', 'tmpfs', 'none');
  const netns = join(directory, 'netns');
  closeSync(openSync(netns, 'w'));
  await run('unshare', `--net=${netns}`, 'true');
  cleanup.defer(() => run('umount', netns));
  mkdirSync(`/run/${name}-exec`);
  cleanup.defer(() => rmdirSync(`/run/${name}-exec`));
}

test('mounts, namespaces that are kept, cgroups and directories of the run are found, another run’s are not', async () => {
  await leak(other);
  expect(leaks().filter((line) => line.includes(other.name))).toEqual([]);
  await leak(own);
  const found = leaks();
  const { name, directory } = own;
  const hierarchies = sys.cgroups.mode === 'unified' ? 1 : new Set(sys.cgroups.controllers.values()).size;
  for (const path of [`${name}-daemon`, `${name}-daemon/container`]) {
    const lines = found.filter(
      (line) => line.startsWith('cgroup: /sys/fs/cgroup') && line.endsWith(`/${path}`),
    );
    expect(lines.length).toBeGreaterThanOrEqual(hierarchies);
  }
  expect(found).toEqual(
    expect.arrayContaining([
      `mount: / ${directory}/tree`,
      expect.stringMatching(new RegExp(`^mount: net:\\[\\d+\\] ${directory}/netns$`)),
      `directory: ${directory}/tree`,
      `directory: /run/${name}-exec`,
    ]),
  );
  expect(found.filter((line) => line.includes(other.name))).toEqual([]);
});

test('a bind of a directory of the run is found wherever it is mounted', async () => {
  const source = join(own.directory, 'source');
  const target = join(other.directory, 'target');
  for (const path of [source, target]) mkdirSync(path);
  await mountAt(target, '--bind', source);
  expect(leaks()).toContainEqual(expect.stringMatching(new RegExp(`^mount: \\S*${source} ${target}$`)));
});

test('processes of the run are found by environment, command line, cgroup or network namespace, another run’s are not', async () => {
  const byEnvironment = spawnApart(['sleep', '5001'], { [RUN_VARIABLE]: own.name });
  // As a monitor, whose environment is its own: it has paths of the daemon's.
  writeFileSync(join(own.directory, 'log'), '');
  const monitor = spawnApart(['tail', '-f', join(own.directory, 'log')]);
  const byCgroup = spawnApart(['sleep', '5003']);
  const cgroup = `/${own.name}-daemon`;
  cleanup.defer(async () => {
    byCgroup.kill('SIGKILL');
    await byCgroup.exited;
    sys.cgroups.remove(cgroup);
  });
  sys.cgroups.create(cgroup);
  const controller = sys.cgroups.mode === 'unified' ? '' : 'pids';
  writeFileSync(join(sys.cgroups.directory(controller, cgroup) ?? '', 'cgroup.procs'), String(byCgroup.pid));
  const byNamespace = Bun.spawn(['sleep', '5004'], { env: {} });
  cleanup.defer(async () => {
    byNamespace.kill('SIGKILL');
    await byNamespace.exited;
  });
  const another = spawnApart(['sleep', '5005'], { [RUN_VARIABLE]: other.name });
  await eventually('all to be what they are', () => {
    const found = leaks();
    const isFound = (pid: number) =>
      found.some((line) => line.startsWith('process: ') && line.includes(`(pid ${pid})`));
    const missing = [byEnvironment, monitor, byCgroup, byNamespace].filter(({ pid }) => !isFound(pid));
    if (missing.length > 0) throw new Error(`not found: ${missing.map(({ pid }) => pid).join(' ')}`);
    // Until its `unshare` is done it is in the namespace of this test.
    return !isFound(another.pid);
  });
});
