import { describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { givenHost } from '../../harness/daemon.ts';
import { useEngine } from '../../harness/fixture.ts';
import { gantryClient as client } from '../../harness/programs.ts';

const engine = useEngine({ flags: ['--log-level', 'info'] });
const RUNS = 24;

describe.skipIf(givenHost() !== undefined)('the log that inspect names', () => {
  test(`${RUNS} containers that end while their log is rotated`, async () => {
    const limits = ['--log-opt', 'max-size=1k', '--log-opt', 'max-file=3'];
    // About as long as the rotator takes to look, each a little longer than the one before.
    const script =
      'i=0; while [ $i -lt $0 ]; do echo $i-------------------------------------------; i=$((i+1)); done';
    const run = async (turn: number): Promise<string> => {
      const args = [
        'run',
        ...limits,
        'busybox',
        'sh',
        '-c',
        `sleep 0.0${turn % 10}; ${script}`,
        String(500 * turn),
      ];
      const before = new Set((await engine.must(client, ['ps', '-aq', '--no-trunc'])).split('\n'));
      await engine.must(client, args);
      const after = (await engine.must(client, ['ps', '-aq', '--no-trunc'])).split('\n');
      return after.find((id) => !before.has(id)) ?? '';
    };
    for (let turn = 1; turn <= RUNS; turn += 1) {
      const id = await run(turn);
      const logPath = await engine.must(client, ['inspect', '-f', '{{.LogPath}}', id]);
      expect([turn, existsSync(logPath)]).toEqual([turn, true]);
      await engine.must(client, ['logs', id]);
      await engine.must(client, ['rm', id]);
    }
  }, 120_000);
});
