import { describe, expect, test } from 'bun:test';
import { eventually } from '../../harness/eventually.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients } from '../../harness/programs.ts';

const engine = useEngine();

describe.each(allClients())('$name health checks', (client) => {
  const health = (name: string) => engine.must(client, ['inspect', '-f', '{{.State.Health.Status}}', name]);
  const isSoon = (name: string, status: string) =>
    eventually(`${name} to be ${status}`, async () => (await health(name)) === status);

  test('starting, healthy, unhealthy, in inspect, ps and events', async () => {
    const name = uniqueName('health');
    const since = String(Math.floor(Date.now() / 1000));
    const flags = ['--health-cmd', 'cat /tmp/ok', '--health-interval', '100ms', '--health-retries', '2'];
    await engine.must(client, ['run', '-d', '--name', name, ...flags, 'busybox', 'sleep', '1000']);
    expect(await health(name)).toMatch(/starting|unhealthy/);
    await engine.must(client, ['exec', name, 'sh', '-c', 'echo fine > /tmp/ok']);
    await isSoon(name, 'healthy');
    const ps = ['ps', '--filter', `name=${name}`, '--format', '{{.Status}}'];
    expect(await engine.must(client, ps)).toMatch(/^Up .* \(healthy\)$/);
    const last = '{{(index .State.Health.Log 0).ExitCode}}';
    expect(await engine.must(client, ['inspect', '-f', last, name])).toMatch(/^[01]$/);
    await engine.must(client, ['exec', name, 'rm', '/tmp/ok']);
    await isSoon(name, 'unhealthy');
    expect(await engine.must(client, [...ps, '--filter', 'health=unhealthy'])).toContain('(unhealthy)');
    const until = String(Math.ceil(Date.now() / 1000) + 1);
    const events = await engine.must(client, [
      ...['events', '--since', since, '--until', until, '--filter', `container=${name}`],
      ...['--filter', 'event=health_status', '--format', '{{.Action}}'],
    ]);
    expect(events.split('\n').slice(-2)).toEqual(['health_status: healthy', 'health_status: unhealthy']);
    await engine.must(client, ['rm', '-f', name]);
  });

  test('a probe that takes too long is killed and counts as a failure', async () => {
    const name = uniqueName('slow');
    const flags = [
      '--health-cmd',
      'echo begun; sleep 77',
      '--health-interval',
      '50ms',
      '--health-retries',
      '1',
    ];
    const run = [
      'run',
      '-d',
      '--name',
      name,
      ...flags,
      '--health-timeout',
      '200ms',
      'busybox',
      'sleep',
      '1000',
    ];
    await engine.must(client, run);
    await isSoon(name, 'unhealthy');
    const output = '{{(index .State.Health.Log 0).Output}}';
    expect(await engine.must(client, ['inspect', '-f', output, name])).toMatch(
      /^Health check exceeded timeout \(200ms\)/,
    );
    await engine.must(client, ['rm', '-f', name]);
  });

  test('--no-healthcheck leaves it alone', async () => {
    const name = uniqueName('nocheck');
    await engine.must(client, ['run', '-d', '--name', name, '--no-healthcheck', 'busybox', 'sleep', '1000']);
    expect(await engine.must(client, ['inspect', '-f', '{{json .State.Health}}', name])).toMatch(/null|^$/);
    await engine.must(client, ['rm', '-f', name]);
  });
});

test('health checks go on after the daemon was killed', async () => {
  const { daemon } = engine;
  if (!daemon) return;
  const [client] = allClients();
  if (!client) throw new Error('no client');
  const name = uniqueName('adopted');
  const flags = ['--health-cmd', 'cat /tmp/ok', '--health-interval', '100ms', '--health-retries', '1'];
  await engine.must(client, [
    'run',
    '-d',
    '--name',
    name,
    ...flags,
    'busybox',
    'sh',
    '-c',
    ': > /tmp/ok; sleep 1000',
  ]);
  const health = () => engine.must(client, ['inspect', '-f', '{{.State.Health.Status}}', name]);
  await eventually('the container to be healthy', async () => (await health()) === 'healthy');
  await daemon.crash();
  await daemon.restart();
  expect(await health()).toBe('healthy');
  await engine.must(client, ['exec', name, 'rm', '/tmp/ok']);
  await eventually('the container to be unhealthy', async () => (await health()) === 'unhealthy');
  await engine.must(client, ['rm', '-f', name]);
});
