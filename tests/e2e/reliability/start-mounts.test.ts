import { describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { givenHost, type TestDaemon } from '../../harness/daemon.ts';
import { eventually } from '../../harness/eventually.ts';
import { useEngine } from '../../harness/fixture.ts';
import { gantryClient as client, must } from '../../harness/programs.ts';

const engine = useEngine();

function own(): TestDaemon {
  if (engine.daemon === undefined) throw new Error('this test needs a daemon of its own');
  return engine.daemon;
}

const gantry = (...args: string[]) => must(client, args, { host: engine.host });
const inspect = (id: string, format: string) => gantry('inspect', '-f', format, id);

/** Mount points that a container's monitor lives with. */
async function monitorMounts(id: string): Promise<string[]> {
  const stat = readFileSync(`/proc/${await inspect(id, '{{.State.Pid}}')}/stat`, 'utf8');
  const monitor = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
  const lines = readFileSync(`/proc/${monitor}/mountinfo`, 'utf8').trim().split('\n');
  return lines.map((line) => line.split(' ')[4] ?? '');
}

describe.skipIf(givenHost() !== undefined)("what a start sees of the host's mounts", () => {
  test('however many containers there are, the next one is made beside the mounts of none', async () => {
    const ids: string[] = [];
    for (let count = 0; count < 4; count += 1)
      ids.push(
        await gantry('run', '-d', '-v', '/etc:/host-etc:ro', '--shm-size', '1m', 'busybox', 'sleep', '1000'),
      );
    const staged = join(own().execRoot, 'mounts');
    await eventually('the mounts of the starts to be gone', () => readdirSync(staged).length === 0);
    const [first, ...others] = await Promise.all(ids.map(monitorMounts));
    for (const mounts of others) expect(mounts).toEqual(first ?? []);
    const trees = join(own().dataRoot, 'overlay2');
    expect(first?.filter((target) => target.startsWith(staged) || target.startsWith(trees))).toEqual([]);
    await gantry('rm', '-f', ...ids);
  }, 60_000);

  test('all of the host can be bound, with the trees of other containers', async () => {
    const id = await gantry('run', '-d', 'busybox', 'sh', '-c', 'echo here > /marker; sleep 1000');
    const tree = await inspect(id, '{{.GraphDriver.Data.MergedDir}}');
    const marker = join('/host', tree, 'marker');
    await eventually('the marker to be written', () => existsSync(join(tree, 'marker')));
    expect(await gantry('run', '--rm', '-v', '/:/host:ro', 'busybox', 'cat', marker)).toBe('here');
    await gantry('rm', '-f', id);
  }, 60_000);

  test('what a killed daemon left of a start goes with the next one', async () => {
    const id = await gantry('run', '-d', 'busybox', 'sleep', '1000');
    const left = join(own().execRoot, 'mounts', `${id}.0`);
    await own().crash();
    mkdirSync(left);
    await own().restart();
    await eventually('the directory to be gone', () => !existsSync(left));
    expect(await inspect(id, '{{.State.Status}}')).toBe('running');
    await gantry('rm', '-f', id);
  }, 60_000);

  test('an error names the path that the user gave', async () => {
    const start = gantry('run', '--rm', '-v', '/etc/hostname:/etc', 'busybox', 'true');
    await expect(start).rejects.toThrow(/\/etc\/hostname.*not a directory/i);
  });
});
