import { beforeAll, describe, expect, test } from 'bun:test';
import { givenHost } from '../../harness/daemon.ts';
import { eventually } from '../../harness/eventually.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { gantryClient } from '../../harness/programs.ts';
import { countProcesses, spawnClient } from './api.ts';

const engine = useEngine();
const name = uniqueName('exec-signals');

beforeAll(async () => {
  await engine.must(gantryClient, ['run', '-d', '--name', name, 'busybox', 'sleep', '100000']);
  engine.defer(() => engine.must(gantryClient, ['rm', '-f', name]));
}, 60_000);

const TRAP = 'trap "echo caught; exit 43" TERM; echo up; while :; do sleep 0.02; done';

/** Starts a command that says `up` and ends with 43 upon SIGTERM, and waits until it listens. */
async function startTrap(flags: readonly string[]) {
  const child = spawnClient(gantryClient, ['exec', ...flags, name, 'sh', '-c', TRAP], engine);
  const reader = child.stdout.getReader();
  const seen: string[] = [];
  const until = async (text: string) => {
    while (!seen.join('').includes(text)) {
      const { done, value } = await reader.read();
      if (done) throw new Error(`no ${text} in ${seen.join('')}`);
      seen.push(Buffer.from(value).toString());
    }
  };
  await until('up');
  return { child, until };
}

describe.skipIf(givenHost() !== undefined)('gantry exec without a terminal', () => {
  test('passes signals on to the command: its answer and its exit code come back', async () => {
    const { child, until } = await startTrap([]);
    child.kill('SIGTERM');
    await until('caught');
    expect(await child.exited).toBe(43);
  });

  test('--sig-proxy=false: the signal ends the client, the command goes on', async () => {
    const { child } = await startTrap(['--sig-proxy=false']);
    child.kill('SIGTERM');
    expect(await child.exited).toBe(143);
    await eventually(
      'the command to go on',
      async () => (await countProcesses(engine.host, name, `sh -c ${TRAP}`)) === 1,
    );
  });

  test('the command alone is signalled, not what it has started', async () => {
    const script = 'trap "exit 44" INT; sleep 6001 >/dev/null 2>&1 & wait';
    const child = spawnClient(gantryClient, ['exec', name, 'sh', '-c', script], engine);
    await eventually('its child', async () => (await countProcesses(engine.host, name, 'sleep 6001')) === 1);
    child.kill('SIGINT');
    expect(await child.exited).toBe(44);
    expect(await countProcesses(engine.host, name, 'sleep 6001')).toBe(1);
  });
});
