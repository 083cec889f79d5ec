import { Database } from 'bun:sqlite';
import { describe, expect, test } from 'bun:test';
import { existsSync, rmSync } from 'node:fs';
import { givenHost } from '../../harness/daemon.ts';
import { eventually } from '../../harness/eventually.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { gantryClient as gantry } from '../../harness/programs.ts';

const engine = useEngine();

/** Whether the process is the one that was started. */
const runs = (pid: number): boolean => existsSync(`/proc/${pid}`);

/** Changes a stored row without its checksum, as a failing disk does. */
function garble(id: string): void {
  using database = new Database(`${engine.daemon?.dataRoot}/metadata.db`);
  const { changes } = database.run(
    "UPDATE collection_containers SET value = replace(value, 'running', 'runnign') WHERE key = ?",
    [id],
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
    garble(id);
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
});
