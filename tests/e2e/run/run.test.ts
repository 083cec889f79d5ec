import { describe, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../harness/eventually.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients } from '../../harness/programs.ts';

const engine = useEngine();

describe.each(allClients())('$name run', (client) => {
  test('prints what the command prints, on the stream it was printed to', async () => {
    const result = await engine.run(client, ['run', '--rm', 'busybox', 'sh', '-c', 'echo out; echo err >&2']);
    expect(result).toEqual({ code: 0, stdout: 'out\n', stderr: 'err\n' });
  });

  test.each([
    ['the code of the command', ['sh', '-c', 'exit 42'], 42],
    ['127 for a command that is not there', ['no-such-command'], 127],
    ['126 for one that may not run', ['/etc/passwd'], 126],
  ])('exits with %s', async (_what, command, code) => {
    const result = await engine.run(client, ['run', '--rm', 'busybox', ...command]);
    expect(result.code).toBe(code);
  });

  test('exits with 128 and the signal when a signal ended the command', async () => {
    const result = await engine.run(client, [
      'run',
      '--rm',
      '--init',
      'busybox',
      'sh',
      '-c',
      'kill -TERM $$',
    ]);
    expect(result.code).toBe(143);
  });

  test('exits with 125 when the engine refuses, and leaves nothing behind', async () => {
    const name = uniqueName('refused');
    const result = await engine.run(client, ['run', '--name', name, '-m', '1m', 'busybox', 'true']);
    expect(result.code).toBe(125);
    expect(result.stderr).toContain('Minimum memory limit allowed is 6MB');
    expect(await engine.must(client, ['ps', '-aq', '--filter', `name=${name}`])).toBe('');
  });

  test('passes standard input through to its end', async () => {
    const text = 'x'.repeat(200_000);
    const result = await engine.run(client, ['run', '--rm', '-i', 'busybox', 'cat'], { stdin: text });
    expect(result.code).toBe(0);
    expect(result.stdout === text).toBe(true);
  });

  test('environment, working directory, user, host name and entrypoint', async () => {
    const script = 'echo $GREETING; pwd; id -u; id -g; hostname';
    const flags = ['-e', 'GREETING=hello', '-w', '/tmp', '-u', '65534:5', '-h', 'box', '--entrypoint', 'sh'];
    const out = await engine.must(client, ['run', '--rm', ...flags, 'busybox', '-c', script]);
    expect(out.split('\n')).toEqual(['hello', '/tmp', '65534', '5', 'box']);
  });

  test('limits are in force inside', async () => {
    const script =
      'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; ' +
      'cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null; true';
    const flags = ['-m', '64m', '--cpus', '0.5', '--pids-limit', '50'];
    const out = await engine.must(client, ['run', '--rm', ...flags, 'busybox', 'sh', '-c', script]);
    expect(out.split('\n')).toEqual([String(64 * 1024 * 1024), '50']);
  });

  test('a bind mount, read-only and writable; a tmpfs', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'gantry-test-bind-'));
    try {
      writeFileSync(join(dir, 'in'), 'from the host\n');
      const script =
        'cat /data/in; echo x > /ro/in || echo refused; echo from inside > /data/out; df /scratch | tail -1';
      const flags = ['-v', `${dir}:/data`, '-v', `${dir}:/ro:ro`, '--tmpfs', '/scratch:size=4m'];
      const { stdout } = await engine.run(client, ['run', '--rm', ...flags, 'busybox', 'sh', '-c', script]);
      expect(stdout).toMatch(/^from the host\nrefused\ntmpfs\s+4096 /);
      expect(readFileSync(join(dir, 'out'), 'utf8')).toBe('from inside\n');
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });

  test('--read-only: neither the root nor the files of the engine can be written', async () => {
    const files = ['/file', '/etc/hosts', '/etc/resolv.conf', '/etc/hostname'];
    const { code, stderr } = await engine.run(client, [
      'run',
      '--rm',
      '--read-only',
      'busybox',
      'touch',
      ...files,
    ]);
    expect(stderr.trim().split('\n')).toEqual(files.map((file) => `touch: ${file}: Read-only file system`));
    expect(code).toBe(1);
  });

  test('--rm removes the container; --cidfile names it', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'gantry-test-cid-'));
    try {
      const file = join(dir, 'cid');
      await engine.must(client, ['run', '--rm', '--cidfile', file, 'busybox', 'true']);
      const id = readFileSync(file, 'utf8');
      expect(id).toMatch(/^[0-9a-f]{64}$/);
      expect((await engine.run(client, ['inspect', id])).code).toBe(1);
      expect(existsSync(file)).toBe(true);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });

  test('--init puts an init in front that reaps', async () => {
    const out = await engine.must(client, ['run', '--rm', '--init', 'busybox', 'cat', '/proc/1/cmdline']);
    expect(out.replaceAll('\0', ' ')).toMatch(/init -- cat/);
  });

  test('a name in use is refused with the holder', async () => {
    const name = uniqueName('taken');
    const id = await engine.must(client, ['create', '--name', name, 'busybox']);
    const result = await engine.run(client, ['run', '--name', name, 'busybox']);
    expect(result.code).toBe(125);
    expect(result.stderr).toContain(`The container name "/${name}" is already in use by container "${id}"`);
    await engine.must(client, ['rm', name]);
  });

  test('an unknown image and a bad port are refused', async () => {
    expect((await engine.run(client, ['run', '--rm', '--pull', 'never', 'no-such-image'])).code).toBe(125);
    const badPort = await engine.run(client, ['run', '--rm', '-p', '99999:80', 'busybox']);
    expect(badPort.code).toBe(125);
    expect(badPort.stderr.toLowerCase()).toContain('invalid');
  });
});

describe.each(allClients())('$name in the background', (client) => {
  test('run -d, ps, logs, stop, start, rm -f', async () => {
    const name = uniqueName('bg');
    const id = await engine.must(client, [
      'run',
      '-d',
      '--name',
      name,
      'busybox',
      'sh',
      '-c',
      'echo up; exec sleep 1000',
    ]);
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    expect(
      await engine.must(client, [
        'ps',
        '--filter',
        `name=${name}`,
        '--format',
        '{{.Names}} {{.Image}} {{.State}}',
      ]),
    ).toBe(`${name} busybox running`);
    await eventually('its output', async () => (await engine.must(client, ['logs', name])) === 'up');
    expect(await engine.must(client, ['stop', '-t', '0', name])).toBe(name);
    expect(await engine.must(client, ['inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', name])).toBe(
      'exited 137',
    );
    expect(await engine.must(client, ['start', name])).toBe(name);
    await eventually(
      'the output of both runs',
      async () => (await engine.must(client, ['logs', name])) === 'up\nup',
    );
    expect((await engine.run(client, ['rm', name])).code).toBe(1);
    expect(await engine.must(client, ['rm', '-f', name])).toBe(name);
    expect((await engine.run(client, ['inspect', name])).code).toBe(1);
  });

  test('wait gives the exit code; logs keep the streams apart', async () => {
    const name = uniqueName('logs');
    await engine.must(client, [
      'run',
      '-d',
      '--name',
      name,
      'busybox',
      'sh',
      '-c',
      'echo a; echo b >&2; echo c; exit 3',
    ]);
    expect(await engine.must(client, ['wait', name])).toBe('3');
    const all = await engine.run(client, ['logs', name]);
    expect([all.stdout, all.stderr]).toEqual(['a\nc\n', 'b\n']);
    await engine.must(client, ['rm', name]);
  });

  test('logs -f follows to the end of the container', async () => {
    const name = uniqueName('follow');
    const script = 'for i in 1 2 3; do echo $i; sleep 0.1; done';
    await engine.must(client, ['run', '-d', '--name', name, 'busybox', 'sh', '-c', script]);
    expect(await engine.must(client, ['logs', '-f', name])).toBe('1\n2\n3');
    await engine.must(client, ['rm', name]);
  });
});
