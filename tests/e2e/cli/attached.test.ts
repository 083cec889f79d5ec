import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../harness/eventually.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients, clientEnvironment, gantryClient } from '../../harness/programs.ts';
import { openTerminal } from '../../harness/terminal.ts';
import { isModern } from './known.ts';

const engine = useEngine();
const directory = mkdtempSync(join(tmpdir(), 'gantry-e2e-attached-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const target = uniqueName('target');
beforeAll(async () => {
  await engine.must(gantryClient, [
    'run',
    '-d',
    '--name',
    target,
    '-e',
    'BASE=1',
    'busybox',
    'sleep',
    '10000',
  ]);
  engine.defer(() => engine.must(gantryClient, ['rm', '-f', target]));
}, 60_000);

describe.each(allClients())('$name run', (client) => {
  test('-a chooses the streams, --rm leaves nothing, exit codes pass through', async () => {
    const script = ['busybox', 'sh', '-c', 'echo out; echo err >&2; exit 5'];
    const name = uniqueName('run');
    const both = await engine.run(client, ['run', '--rm', '--name', name, ...script]);
    expect(both).toEqual({ code: 5, stdout: 'out\n', stderr: 'err\n' });
    expect((await engine.run(client, ['inspect', name])).code).toBe(1);
    const only = await engine.run(client, ['run', '--rm', '-a', 'stderr', ...script]);
    expect([only.stdout, only.stderr]).toEqual(['', 'err\n']);
    const input = await engine.run(client, ['run', '--rm', '-i', 'busybox', 'cat'], { stdin: 'typed' });
    expect(input.stdout).toBe('typed');
  });

  test('-d answers the ID and lets it run; --cidfile has it too', async () => {
    const cidfile = join(directory, uniqueName('cid'));
    const id = await engine.must(client, ['run', '-d', '--cidfile', cidfile, 'busybox', 'sleep', '1000']);
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    expect(await Bun.file(cidfile).text()).toBe(id);
    expect(await engine.must(client, ['inspect', '-f', '{{.State.Running}}', id])).toBe('true');
    await engine.must(client, ['rm', '-f', id]);
    const conflict = await engine.run(client, ['run', '-d', '--rm', '-a', 'stdout', 'busybox', 'true']);
    expect(conflict.stderr).toMatch(/[Cc]onflicting options/);
  });

  test.each(['true', 'false'])('--sig-proxy=%s', async (proxy) => {
    const name = uniqueName('signal');
    const script = 'trap "exit 43" TERM; echo up; while :; do sleep 0.02; done';
    const child = Bun.spawn(
      [client.path, 'run', `--sig-proxy=${proxy}`, '--name', name, 'busybox', 'sh', '-c', script],
      { env: clientEnvironment({ host: engine.host }), stdout: 'pipe', stderr: 'ignore' },
    );
    await eventually('the container to be up', async () =>
      (await engine.run(client, ['logs', name])).stdout.includes('up'),
    );
    child.kill('SIGTERM');
    if (proxy === 'true') {
      expect(await child.exited).toBe(43);
      expect(await engine.must(client, ['wait', name])).toBe('43');
    } else {
      // Newer dockers do not end at the first TERM then.
      child.kill('SIGKILL');
      await child.exited;
      expect(await engine.must(client, ['inspect', '-f', '{{.State.Running}}', name])).toBe('true');
    }
    await engine.must(client, ['rm', '-f', name]);
  });

  test('--detach-keys and attach with keys of its own', async () => {
    const name = uniqueName('keys');
    const flags = ['--name', name, '--detach-keys', 'ctrl-x', '-it'];
    {
      using session = openTerminal(client, ['run', ...flags, 'busybox', 'sh'], engine.host);
      await session.sees(/[#$] /);
      session.type('\x18');
      expect(await session.exited).toBe(0);
    }
    {
      using session = openTerminal(client, ['attach', '--detach-keys', 'ctrl-y,q', name], engine.host);
      session.type('echo seen$((1+1))\r');
      await session.sees('seen2');
      session.type('\x19q');
      // `attach` answers the container's exit code: without one it fails.
      await session.sees('read escape sequence');
      expect(await session.exited).toBe(1);
    }
    expect(await engine.must(client, ['inspect', '-f', '{{.State.Running}}', name])).toBe('true');
    await engine.must(client, ['stop', '-t', '0', name]);
    {
      // `start -a` has done what it was asked for.
      using session = openTerminal(client, ['start', '-ai', '--detach-keys', 'ctrl-y,q', name], engine.host);
      session.type('echo seen$((1+1))\r');
      await session.sees('seen2');
      session.type('\x19q');
      expect(await session.exited).toBe(0);
    }
    await engine.must(client, ['rm', '-f', name]);
  });

  test('a reader that goes away ends the client at once and leaves the container running', async () => {
    const name = uniqueName('pipe');
    // A trickle: it never fills a log.
    const loop = 'while :; do echo y; sleep 0.05; done';
    const shell = '"$0" run --name "$1" busybox sh -c "$2" | head -n 1; echo "${PIPESTATUS[0]}"';
    const child = Bun.spawn(['bash', '-c', shell, client.path, name, loop], {
      env: clientEnvironment({ host: engine.host }),
      stdout: 'pipe',
      stderr: 'ignore',
    });
    const [line, code] = (await new Response(child.stdout).text()).trimEnd().split('\n');
    expect(line).toBe('y');
    if (client.name === 'gantry') expect(code).toBe('141');
    else expect(code).not.toBe('0');
    expect(await engine.must(client, ['inspect', '-f', '{{.State.Running}}', name])).toBe('true');
    await engine.must(client, ['rm', '-f', name]);
  });
});

describe.each(allClients())('$name attach', (client) => {
  test('output and exit code; --no-stdin takes nothing', async () => {
    const name = uniqueName('attach');
    const script = 'while ! [ -e /go ]; do echo tick; sleep 0.05; done; echo end; exit 6';
    await engine.must(client, ['run', '-d', '-i', '--name', name, 'busybox', 'sh', '-c', script]);
    const child = Bun.spawn([client.path, 'attach', '--no-stdin', name], {
      env: clientEnvironment({ host: engine.host }),
      stdin: 'ignore',
      stdout: 'pipe',
    });
    let seen = '';
    for await (const chunk of child.stdout) {
      // The first tick proves that the client is attached.
      if (seen === '') await engine.must(client, ['exec', name, 'touch', '/go']);
      seen += new TextDecoder().decode(chunk);
    }
    expect(seen).toMatch(/^(tick\n)+end\n$/);
    expect(await child.exited).toBe(6);
    expect((await engine.run(client, ['attach', name])).stderr).toMatch(
      /cannot attach to a stopped container/i,
    );
    await engine.must(client, ['rm', '-f', name]);
  });
});

describe.each(allClients())('$name exec', (client) => {
  const exec = (...args: string[]) => engine.must(client, ['exec', ...args]);

  test('-e, --env-file, -w, -u, --privileged, -d', async () => {
    const envFile = join(directory, 'exec-env');
    writeFileSync(envFile, 'FROM_FILE=yes\n');
    const flags = ['-e', 'A=1', '--env-file', envFile, '-w', '/etc', '-u', '12:34'];
    const out = await exec(...flags, target, 'sh', '-c', 'echo $BASE $A $FROM_FILE; pwd; id -u; id -g');
    expect(out.split('\n')).toEqual(['1 1 yes', '/etc', '12', '34']);
    const capabilities = 'grep CapEff /proc/self/status | cut -f2';
    const [plain, all] = [
      await exec(target, 'sh', '-c', capabilities),
      await exec('--privileged', target, 'sh', '-c', capabilities),
    ];
    expect(BigInt(`0x${all}`)).toBeGreaterThan(BigInt(`0x${plain}`));
    await exec('-d', target, 'touch', `/tmp/${client.name.replaceAll(' ', '-')}`);
    await eventually('the detached command', async () =>
      (await exec(target, 'ls', '/tmp')).includes(client.name.replaceAll(' ', '-')),
    );
  });

  test('-i, -t and exit codes', async () => {
    const piped = await engine.run(client, ['exec', '-i', target, 'cat'], { stdin: 'through' });
    expect(piped).toEqual({ code: 0, stdout: 'through', stderr: '' });
    expect((await engine.run(client, ['exec', target, 'sh', '-c', 'exit 9'])).code).toBe(9);
    using session = openTerminal(
      client,
      ['exec', '-it', '--detach-keys', 'ctrl-x', target, 'sh'],
      engine.host,
    );
    await session.sees(/[#$] /);
    session.type('tty\r');
    await session.sees('/dev/pts/');
    session.type('\x18');
    await session.exited;
    expect(existsSync(directory)).toBe(true);
  });

  test.skipIf(!isModern(client))('refused: no such container, no terminal', async () => {
    expect((await engine.run(client, ['exec', 'no-such-container', 'true'])).stderr).toContain(
      'No such container',
    );
    const noTerminal = await engine.run(client, ['exec', '-it', target, 'sh'], { stdin: '' });
    expect([noTerminal.code, noTerminal.stderr]).toEqual([1, expect.stringMatching(/not a TTY/)]);
  });
});
