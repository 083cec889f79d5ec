import { beforeAll, describe, expect, test } from 'bun:test';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients } from '../../harness/programs.ts';

const engine = useEngine();
const name = uniqueName('exec');

beforeAll(async () => {
  const [client] = allClients();
  if (client === undefined) throw new Error('no client program on this machine');
  await engine.must(client, ['run', '-d', '--name', name, '-e', 'BASE=1', 'busybox', 'sleep', '1000']);
  engine.defer(() => engine.must(client, ['rm', '-f', name]));
}, 60_000);

describe.each(allClients())('$name exec', (client) => {
  test('output by stream and exit code', async () => {
    const result = await engine.run(client, ['exec', name, 'sh', '-c', 'echo out; echo err >&2; exit 9']);
    expect(result).toEqual({ code: 9, stdout: 'out\n', stderr: 'err\n' });
  });

  test('environment, working directory, user', async () => {
    const flags = ['-e', 'EXTRA=2', '-w', '/etc', '-u', 'nobody'];
    const out = await engine.must(client, [
      'exec',
      ...flags,
      name,
      'sh',
      '-c',
      'echo $BASE $EXTRA; pwd; id -un',
    ]);
    expect(out.split('\n')).toEqual(['1 2', '/etc', 'nobody']);
  });

  test('standard input to its end', async () => {
    const text = 'line\n'.repeat(20_000);
    const result = await engine.run(client, ['exec', '-i', name, 'cat'], { stdin: text });
    expect(result.code).toBe(0);
    expect(result.stdout === text).toBe(true);
  });

  test('-d comes back at once and the command runs', async () => {
    await engine.must(client, ['exec', '-d', name, 'sh', '-c', 'echo done > /tmp/detached']);
    const out = await engine.must(client, [
      'exec',
      name,
      'sh',
      '-c',
      'until [ -s /tmp/detached ]; do :; done; cat /tmp/detached; rm /tmp/detached',
    ]);
    expect(out).toBe('done');
  });

  test('127 for a command that is not there, 126 for one that may not run', async () => {
    // dockerd up to 20.10 says 126 for both.
    expect([126, 127]).toContain((await engine.run(client, ['exec', name, 'no-such-command'])).code);
    expect((await engine.run(client, ['exec', name, '/etc/passwd'])).code).toBe(126);
  });

  test('a container that does not run is refused', async () => {
    const stopped = await engine.must(client, ['create', 'busybox', 'true']);
    const result = await engine.run(client, ['exec', stopped, 'true']);
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/is not running/);
    await engine.must(client, ['rm', stopped]);
  });
});
