import { describe, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { givenHost, startDaemon } from '../../harness/daemon.ts';
import { eventually } from '../../harness/eventually.ts';
import { GANTRY, gantryClient as gantry, must, run } from '../../harness/programs.ts';

describe.skipIf(givenHost() !== undefined)('gantry daemon', () => {
  test('refuses a second daemon on the same root, clearly', async () => {
    await using daemon = await startDaemon();
    const second = Bun.spawnSync([
      ...[
        GANTRY,
        'daemon',
        '-H',
        `unix://${daemon.directory}/second.sock`,
        '--pidfile',
        `${daemon.directory}/pid2`,
      ],
      ...['--data-root', daemon.dataRoot, '--exec-root', `${daemon.execRoot}-second`],
    ]);
    expect(second.exitCode).toBe(1);
    expect(second.stderr.toString()).toContain('in use by another gantry daemon');
    expect((await run(gantry, ['version'], { host: daemon.host })).code).toBe(0);
    rmSync(`${daemon.execRoot}-second`, { recursive: true, force: true });
  });

  test('several daemons side by side do not disturb each other', async () => {
    await using first = await startDaemon();
    await using second = await startDaemon();
    for (const { host } of [first, second]) await must(gantry, ['image', 'bootstrap', 'busybox'], { host });
    for (const { host } of [first, second]) {
      await must(gantry, ['run', '-d', '--name', 'same-name', '-p', '0:80', 'busybox', 'sleep', '1000'], {
        host,
      });
    }
    const ids = await Promise.all([first, second].map(({ host }) => must(gantry, ['ps', '-q'], { host })));
    expect(ids[0]).not.toBe(ids[1]);
    await must(gantry, ['rm', '-f', 'same-name'], { host: first.host });
    expect(await must(gantry, ['ps', '--format', '{{.Names}}'], { host: second.host })).toBe('same-name');
  });

  test('SIGHUP reloads what can be reloaded', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'gantry-test-reload-'));
    const file = join(dir, 'daemon.json');
    try {
      writeFileSync(file, '{"labels": ["color=red"]}');
      await using daemon = await startDaemon({ flags: ['--config-file', file] });
      const labels = () => must(gantry, ['info', '-f', '{{json .Labels}}'], { host: daemon.host });
      expect(await labels()).toBe('["color=red"]');
      writeFileSync(file, '{"labels": ["color=blue"]}');
      process.kill(daemon.pid, 'SIGHUP');
      await eventually('the new label', async () => (await labels()) === '["color=blue"]');
      const since = ['--since', '1h', '--until', '0s', '--filter', 'type=daemon'];
      const events = await must(gantry, ['events', ...since, '--format', '{{json .}}'], {
        host: daemon.host,
      });
      expect(JSON.parse(events)).toMatchObject({
        Type: 'daemon',
        Action: 'reload',
        Actor: {
          ID: await must(gantry, ['info', '-f', '{{.ID}}'], { host: daemon.host }),
          Attributes: {
            labels: '["color=blue"]',
            debug: 'true',
            'live-restore': 'true',
            'shutdown-timeout': '15',
          },
        },
      });
      writeFileSync(file, '{"nonsense": 1}');
      process.kill(daemon.pid, 'SIGHUP');
      await eventually('the refusal in the log', () => daemon.log().includes('nonsense'));
      expect(await labels()).toBe('["color=blue"]');
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });

  test.each([
    ['an unknown flag', ['--no-such-flag'], 'unknown flag: --no-such-flag'],
    ['plain TCP off loopback', ['-H', 'tcp://0.0.0.0:0'], 'tcp'],
    ['bridge and bip together', ['--bridge', 'x', '--bip', '10.0.0.1/24'], 'mutually exclusive'],
  ])('%s ends the start with a clear error', (_what, flags, text) => {
    const dir = mkdtempSync(join(tmpdir(), 'gantry-test-flags-'));
    try {
      const roots = ['--data-root', `${dir}/data`, '--exec-root', `${dir}/exec`, '--pidfile', `${dir}/pid`];
      const ended = Bun.spawnSync([GANTRY, 'daemon', ...roots, ...flags], { timeout: 20_000 });
      expect(ended.exitCode).toBeGreaterThan(0);
      expect(ended.stderr.toString()).toContain(text);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });

  test.each([
    [[], 0, 'configuration OK'],
    [['--mtu', '-5'], 1, 'invalid default MTU: -5'],
  ])('--validate %j checks the configuration and touches nothing', (flags, code, text) => {
    const root = join(tmpdir(), `gantry-test-validate-${process.pid}`);
    const roots = ['--data-root', root, '--exec-root', `${root}-exec`];
    const ended = Bun.spawnSync([GANTRY, 'daemon', '--validate', ...roots, ...flags], { timeout: 20_000 });
    expect(ended.exitCode).toBe(code);
    expect(ended.stderr.toString()).toContain(text);
    expect([existsSync(root), existsSync(`${root}-exec`)]).toEqual([false, false]);
  });

  test('SIGTERM ends it cleanly; containers run on and the next daemon has them', async () => {
    await using daemon = await startDaemon();
    const { host } = daemon;
    await must(gantry, ['image', 'bootstrap', 'busybox'], { host });
    const id = await must(
      gantry,
      ['run', '-d', 'busybox', 'sh', '-c', 'trap "exit 6" TERM; echo ready; while :; do sleep 0.01; done'],
      { host },
    );
    await eventually('its trap', async () => (await must(gantry, ['logs', id], { host })) === 'ready');
    expect(await daemon.stop()).toBe(0);
    await daemon.restart();
    expect(await must(gantry, ['inspect', '-f', '{{.State.Running}}', id], { host })).toBe('true');
    await must(gantry, ['stop', id], { host });
    expect(await must(gantry, ['inspect', '-f', '{{.State.ExitCode}}', id], { host })).toBe('6');
  });

  test('without live restore a clean stop stops the containers', async () => {
    await using daemon = await startDaemon({ flags: ['--live-restore=false'] });
    const { host } = daemon;
    await must(gantry, ['image', 'bootstrap', 'busybox'], { host });
    const id = await must(gantry, ['run', '-d', '--stop-timeout', '0', 'busybox', 'sleep', '1000'], { host });
    expect(await daemon.stop()).toBe(0);
    await daemon.restart();
    expect(await must(gantry, ['inspect', '-f', '{{.State.Status}}', id], { host })).toBe('exited');
  });

  test('S16: its directories and socket are closed to others', async () => {
    await using daemon = await startDaemon();
    const mode = (path: string) => statSync(path).mode & 0o007;
    expect(mode(daemon.dataRoot)).toBeLessThanOrEqual(1);
    expect(mode(daemon.execRoot)).toBeLessThanOrEqual(1);
    expect(mode(daemon.host.replace('unix://', ''))).toBe(0);
  });
});
