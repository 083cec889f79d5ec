import { describe, expect, test } from 'bun:test';
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDaemon } from '../../harness/daemon.ts';
import { eventually } from '../../harness/eventually.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients, gantryClient as gantry, must } from '../../harness/programs.ts';
import { printFigure } from '../../reliability/figures.ts';

const engine = useEngine();

describe.each(allClients())('$name restart policies', (client) => {
  const inspect = (name: string, format: string) => engine.must(client, ['inspect', '-f', format, name]);

  test('on-failure:2 tries twice, with growing pauses, and gives up', async () => {
    const name = uniqueName('failing');
    const flags = ['-d', '--name', name, '--restart', 'on-failure:2'];
    await engine.must(client, ['run', ...flags, 'busybox', 'sh', '-c', 'date +%s%N; exit 3']);
    await eventually('the policy to give up', async () => {
      const seen = await inspect(name, '{{.RestartCount}} {{.State.Status}} {{.State.ExitCode}}');
      return seen === '2 exited 3';
    });
    expect((await engine.must(client, ['logs', name])).split('\n')).toHaveLength(3);
    await engine.must(client, ['rm', name]);
  });

  test('always starts again what ended well, until it is stopped', async () => {
    const name = uniqueName('always');
    await engine.must(client, ['run', '-d', '--name', name, '--restart', 'always', 'busybox', 'true']);
    await eventually('two restarts', async () => Number(await inspect(name, '{{.RestartCount}}')) >= 2);
    await engine.must(client, ['stop', name]);
    const count = await inspect(name, '{{.RestartCount}} {{.State.Status}}');
    expect(count).toMatch(/^\d+ exited$/);
    expect(await inspect(name, '{{.RestartCount}} {{.State.Status}}')).toBe(count);
    await engine.must(client, ['rm', name]);
  });

  test('a restart that cannot start is tried again (F14)', async () => {
    const name = uniqueName('retry');
    const dir = mkdtempSync(join(tmpdir(), 'gantry-test-retry-'));
    try {
      const flags = ['-d', '--name', name, '--restart', 'always'];
      await engine.must(client, [
        ...['run', ...flags, '--mount', `type=bind,src=${dir},dst=/dir`],
        ...['busybox', 'sh', '-c', 'until test -e /dir/go; do sleep 0.02; done; rm /dir/go; exit 1'],
      ]);
      renameSync(dir, `${dir}-gone`);
      await engine.must(client, ['exec', name, 'touch', '/dir/go']);
      await eventually('a failed start', async () => (await inspect(name, '{{.RestartCount}}')) >= '2');
      expect(await inspect(name, '{{.State.Status}}')).toBe('restarting');
      renameSync(`${dir}-gone`, dir);
      await eventually(
        'the container to run',
        async () => (await inspect(name, '{{.State.Status}}')) === 'running',
      );
      await engine.must(client, ['rm', '-f', name]);
    } finally {
      rmSync(dir, { recursive: true, force: true });
      rmSync(`${dir}-gone`, { recursive: true, force: true });
    }
  });
});

test('R15: at its start the daemon starts everything, a few at a time, and answers meanwhile', async () => {
  await using daemon = await startDaemon({ flags: ['--live-restore=false'] });
  const { host } = daemon;
  await must(gantry, ['image', 'bootstrap', 'busybox'], { host });
  const donor = 'donor';
  const sleep = ['busybox', 'sleep', '1000'];
  const flags = ['run', '-d', '--restart', 'always', '--stop-timeout', '0'];
  await must(gantry, [...flags, '--name', donor, ...sleep], { host });
  await must(gantry, [...flags, '--name', 'joined', '--network', `container:${donor}`, ...sleep], { host });
  for (let n = 0; n < 18; n += 1) await must(gantry, [...flags, ...sleep], { host });
  await must(gantry, ['run', '-d', '--restart', 'unless-stopped', '--name', 'stopped', ...sleep], { host });
  await must(gantry, ['stop', '-t', '0', 'stopped'], { host });
  expect(await daemon.stop()).toBe(0);
  await daemon.restart();
  const started = performance.now();
  await must(gantry, ['ps'], { host });
  printFigure(
    'R15',
    'first answer beside 20 containers that start',
    `${(performance.now() - started).toFixed(0)} ms`,
  );
  const running = () => must(gantry, ['ps', '-q'], { host });
  await eventually('all to run', async () => (await running()).split('\n').length === 20);
  expect(await must(gantry, ['inspect', '-f', '{{.State.Status}}', 'stopped'], { host })).toBe('exited');
});
