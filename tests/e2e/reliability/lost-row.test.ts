import { Database } from 'bun:sqlite';
import { describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { givenHost } from '../../harness/daemon.ts';
import { eventually } from '../../harness/eventually.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { gantryClient as gantry } from '../../harness/programs.ts';

const engine = useEngine();

/** Whether the process is the one that was started. */
const runs = (pid: number): boolean => existsSync(`/proc/${pid}`);

/** Changes a stored row without its checksum, as a failing disk does. */
function garble(collection: 'containers' | 'images', id: string, word: string): void {
  using database = new Database(`${engine.daemon?.dataRoot}/metadata.db`);
  const { changes } = database.run(
    `UPDATE collection_${collection} SET value = replace(value, ?, ?) WHERE key = ?`,
    [word, word.toUpperCase(), id],
  );
  expect(changes).toBe(1);
}

describe.skipIf(givenHost() !== undefined)('R10: a row that cannot be read', () => {
  test('its container goes on with all it has, at each start; deleting its directory gives it up', async () => {
    const { daemon } = engine;
    if (daemon === undefined) throw new Error('this test needs a daemon of its own');
    const [lost, other] = [uniqueName('lost'), uniqueName('other')];
    await engine.must(gantry, ['run', '-d', '--name', other, 'busybox', 'sleep', '1000']);
    await engine.must(gantry, ['run', '-d', '--name', lost, '-v', '/kept', 'busybox', 'sleep', '1000']);
    const [id = '', pid] = (
      await engine.must(gantry, ['inspect', '-f', '{{.Id}} {{.State.Pid}}', lost])
    ).split(' ');
    const volumes = await engine.must(gantry, ['volume', 'ls', '-q']);
    await daemon.crash();
    garble('containers', id, 'running');
    for (const _ of ['found damaged', 'remembered']) {
      await daemon.restart();
      expect(await engine.must(gantry, ['ps', '-aq', '--filter', `name=${lost}`])).toBe('');
      expect(await engine.must(gantry, ['exec', other, 'echo', 'works'])).toBe('works');
      expect(runs(Number(pid))).toBe(true);
      await engine.must(gantry, ['system', 'prune', '-f', '--volumes']);
      expect(await engine.must(gantry, ['volume', 'ls', '-q'])).toBe(volumes);
      // Its network too: the daemon's end leaves alone what runs.
      expect(await daemon.stop()).toBe(0);
    }
    expect(daemon.log()).toContain(`"container":"${id}","reason":"checksum does not match","mayRun":true`);
    rmSync(`${daemon.dataRoot}/containers/${id}`, { recursive: true });
    await daemon.restart();
    await eventually('what is left of it to go', () => !runs(Number(pid)));
    await engine.must(gantry, ['volume', 'prune', '-f']);
    expect(await engine.must(gantry, ['volume', 'ls', '-q'])).toBe('');
    await engine.must(gantry, ['rm', '-f', other]);
  }, 120_000);

  test('its image loses nothing at any start, until it is removed or loaded again', async () => {
    const { daemon } = engine;
    if (daemon === undefined) throw new Error('this test needs a daemon of its own');
    const [lost, maker] = [uniqueName('lost'), uniqueName('maker')];
    const blobs = () => readdirSync(`${daemon.dataRoot}/content/blobs/sha256`).sort();
    const before = blobs();
    await engine.must(gantry, ['run', '--name', maker, 'busybox', 'touch', '/made']);
    const id = await engine.must(gantry, ['commit', maker, lost]);
    await engine.must(gantry, ['rm', maker]);
    const archive = `${daemon.dataRoot}/lost.tar`;
    await engine.must(gantry, ['save', '-o', archive, lost]);
    const whole = blobs();
    expect(whole.length).toBeGreaterThan(before.length);
    for (const end of ['load', 'rmi']) {
      await daemon.crash();
      garble('images', id, 'layers');
      for (const _ of ['found damaged', 'remembered']) {
        await daemon.restart();
        await engine.must(gantry, ['image', 'prune', '-f']);
        expect(blobs()).toEqual(whole);
        expect(await daemon.stop()).toBe(0);
      }
      expect(daemon.log()).toContain(`"image":"${id}","reason":"checksum does not match"`);
      await daemon.restart();
      if (end === 'load') {
        await engine.must(gantry, ['load', '-i', archive]);
        await engine.must(gantry, ['run', '--rm', lost, 'ls', '/made']);
      } else {
        expect(await engine.must(gantry, ['rmi', lost])).toContain(`Deleted: ${id}`);
        expect(blobs()).toEqual(before);
      }
    }
  }, 120_000);
});
