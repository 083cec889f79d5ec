import { describe, expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../harness/eventually.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients, gantryClient } from '../../harness/programs.ts';

const engine = useEngine();

/** A syslog daemon on a Unix stream socket. */
function listen() {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-test-syslog-'));
  let received = '';
  const open = () =>
    Bun.listen({
      unix: join(directory, 'log'),
      socket: {
        data: (_socket, data) => {
          received += data.toString();
        },
      },
    });
  let server: ReturnType<typeof open> | undefined;
  // The path must exist when a container is made; nobody listens there yet.
  writeFileSync(join(directory, 'log'), '');
  return {
    address: `unix://${directory}/log`,
    get received() {
      return received;
    },
    start: () => {
      rmSync(join(directory, 'log'));
      server = open();
    },
    stop: () => {
      server?.stop(true);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

describe.each(allClients())('$name log drivers', (client) => {
  const inspect = (name: string, format: string) => engine.must(client, ['inspect', '-f', format, name]);

  test('syslog gets every line, and `logs` works all the same (F30)', async () => {
    const syslog = listen();
    syslog.start();
    try {
      const name = uniqueName('syslog');
      const flags = ['--log-driver', 'syslog', '--log-opt', `syslog-address=${syslog.address}`];
      const tag = ['--log-opt', 'tag=mine/{{.Name}}'];
      const script = 'echo one; echo two >&2';
      await engine.must(client, ['run', '--name', name, ...flags, ...tag, 'busybox', 'sh', '-c', script]);
      await eventually(
        'both lines',
        () => syslog.received.includes('one') && syslog.received.includes('two'),
      );
      expect(syslog.received).toContain(`mine/${name}`);
      const { stdout, stderr } = await engine.run(client, ['logs', name]);
      expect([stdout, stderr]).toEqual(['one\n', 'two\n']);
      expect(await inspect(name, '{{.HostConfig.LogConfig.Type}} {{.LogPath}}')).toBe('syslog ');
      await engine.must(client, ['rm', name]);
    } finally {
      syslog.stop();
    }
  });

  test('a sink that is not there delays nobody and gets everything when it comes; --rm delivers first', async () => {
    const syslog = listen();
    try {
      const name = uniqueName('late');
      const flags = ['--log-driver', 'syslog', '--log-opt', `syslog-address=${syslog.address}`];
      const script = 'echo early; sleep 1000';
      await engine.must(client, ['run', '-d', '--name', name, ...flags, 'busybox', 'sh', '-c', script]);
      await eventually('the log', async () => (await engine.must(client, ['logs', name])) === 'early');
      syslog.start();
      await eventually('the line', () => syslog.received.includes('early'));
      expect(await engine.must(client, ['run', '--rm', ...flags, 'busybox', 'echo', 'and gone'])).toBe(
        'and gone',
      );
      await eventually('the last line', () => syslog.received.includes('and gone'));
      await engine.must(client, ['rm', '-f', name]);
    } finally {
      syslog.stop();
    }
  });

  test('local reads back; none does not; bad drivers and options are refused', async () => {
    const name = uniqueName('local');
    await engine.must(client, ['run', '--name', name, '--log-driver', 'local', 'busybox', 'echo', 'kept']);
    expect(await engine.must(client, ['logs', name])).toBe('kept');
    await engine.must(client, ['rm', name]);
    await engine.must(client, ['run', '--name', name, '--log-driver', 'none', 'busybox', 'echo', 'lost']);
    const refused = await engine.run(client, ['logs', name]);
    expect(refused.stderr).toContain('configured logging driver does not support reading');
    await engine.must(client, ['rm', name]);
    const bad = async (...flags: string[]) =>
      (await engine.run(client, ['create', ...flags, 'busybox'])).stderr;
    expect(await bad('--log-driver', 'nope')).toContain("logger: no log driver named 'nope' is registered");
    expect(await bad('--log-opt', 'nope=1')).toContain("unknown log opt 'nope' for json-file log driver");
    expect(await engine.must(client, ['info', '-f', '{{.Plugins.Log}}'])).toBe(
      '[fluentd journald json-file local syslog]',
    );
  });

  test('rotated and compressed files are read as one log', async () => {
    const name = uniqueName('rotated');
    const flags = ['--log-opt', 'max-size=20k', '--log-opt', 'max-file=4'];
    const script =
      'i=0; while [ $i -lt 900 ]; do echo line $i; i=$((i+1)); [ $((i % 100)) = 0 ] && sleep 0.25; done; sleep 1000';
    await engine.must(client, ['run', '-d', '--name', name, ...flags, 'busybox', 'sh', '-c', script]);
    const file = await inspect(name, '{{.LogPath}}');
    const follow = engine.run(client, ['logs', '-f', name]);
    await eventually(
      'the last line',
      async () => (await engine.must(client, ['logs', '-n', '1', name])) === 'line 899',
    );
    await eventually('compressed files', () =>
      readdirSync(join(file, '..')).some((entry) => entry.endsWith('.gz')),
    );
    await engine.must(client, ['kill', name]);
    const all = Array.from({ length: 900 }, (_, n) => `line ${n}`);
    expect((await follow).stdout.trimEnd().split('\n')).toEqual(all);
    expect((await engine.must(client, ['logs', '--tail', '500', name])).split('\n')).toEqual(all.slice(-500));
    expect(statSync(file).size).toBeLessThan(60_000);
    await engine.must(client, ['rm', name]);
  });
});

test('what a killed daemon had not sent is sent by the next one', async () => {
  const { daemon } = engine;
  if (!daemon) return;
  const syslog = listen();
  try {
    const name = uniqueName('adopted');
    const flags = ['--log-driver', 'syslog', '--log-opt', `syslog-address=${syslog.address}`];
    const go = ['run', '-d', '--name', name, ...flags, 'busybox', 'sh', '-c', 'echo before; sleep 1000'];
    await engine.must(gantryClient, go);
    await engine.must(gantryClient, [
      'run',
      '-d',
      '--name',
      `${name}-2`,
      ...flags,
      'busybox',
      'echo',
      'short',
    ]);
    await engine.must(gantryClient, ['wait', `${name}-2`]);
    await daemon.crash();
    syslog.start();
    await daemon.restart();
    await eventually(
      'both lines',
      () => syslog.received.includes('before') && syslog.received.includes('short'),
    );
    await engine.must(gantryClient, ['rm', '-f', name, `${name}-2`]);
  } finally {
    syslog.stop();
  }
});
