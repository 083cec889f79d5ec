import { describe, expect, test } from 'bun:test';
import { eventually } from '../../harness/eventually.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients, clientEnvironment } from '../../harness/programs.ts';

const engine = useEngine();

describe.each(allClients())('$name system', (client) => {
  test('version and info', async () => {
    expect(await engine.must(client, ['version', '-f', '{{.Server.Os}}/{{.Server.Arch}}'])).toMatch(
      /^linux\/\w+$/,
    );
    const info = await engine.must(client, ['info']);
    expect(info).toMatch(/Containers: \d+/);
    expect(info).toMatch(/Storage Driver: \w+/);
    expect(info).toMatch(/Cgroup Version: [12]/);
    expect(Number(await engine.must(client, ['info', '-f', '{{.NCPU}}']))).toBeGreaterThan(0);
  });

  test('events tell the life of a container in order', async () => {
    const name = uniqueName('events');
    const child = Bun.spawn(
      [client.path, 'events', '--filter', `container=${name}`, '--format', '{{.Action}}'],
      {
        env: clientEnvironment({ host: engine.host }),
        stdout: 'pipe',
      },
    );
    await eventually(
      'the events stream to be open',
      async () => Number(await engine.must(client, ['info', '-f', '{{.NEventsListener}}'])) > 0,
    );
    const since = Math.floor(Date.now() / 1000) - 1;
    await engine.must(client, ['run', '--name', name, 'busybox', 'true']);
    await engine.must(client, ['rm', name]);
    const until = String(Math.ceil(Date.now() / 1000) + 1);
    const past = await engine.must(client, [
      'events',
      '--since',
      String(since),
      '--until',
      until,
      '--filter',
      `container=${name}`,
      '--format',
      '{{.Action}}',
    ]);
    expect(past.split('\n').filter((action) => /^(create|start|die|destroy)$/.test(action))).toEqual([
      'create',
      'start',
      'die',
      'destroy',
    ]);
    child.kill();
    expect(await new Response(child.stdout).text()).toContain('start');
    await child.exited;
  });

  test('an unknown object, an unknown flag, an unknown command', async () => {
    expect((await engine.run(client, ['inspect', 'nothing-of-this-name'])).code).toBe(1);
    const flag = await engine.run(client, ['ps', '--no-such-flag']);
    expect([flag.code, flag.stderr]).toEqual([125, expect.stringContaining('unknown flag: --no-such-flag')]);
    expect((await engine.run(client, ['no-such-command'])).code).not.toBe(0);
  });
});
