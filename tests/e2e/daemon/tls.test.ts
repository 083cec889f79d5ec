import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { givenHost } from '../../harness/daemon.ts';
import { eventually } from '../../harness/eventually.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { createAuthority, type Leaf } from '../../harness/pki.ts';
import { allClients, type Client, gantryClient, must, type Result, run } from '../../harness/programs.ts';
import { openTerminal } from '../../harness/terminal.ts';

const directory = mkdtempSync(join(tmpdir(), 'gantry-test-tls-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const own = createAuthority(join(directory, 'own'));
const foreign = createAuthority(join(directory, 'foreign'));
const server = own.issue('server');
const client = own.issue('client', { usage: 'clientAuth' });

const serverFlags = ['--tlscacert', own.ca, '--tlscert', server.cert, '--tlskey', server.key];
const engine = useEngine({ flags: ['-H', 'tcp://127.0.0.1:0', '--tlsverify', ...serverFlags] });

const port = (): number => Number(/tcp:\/\/127\.0\.0\.1:(\d+)/.exec(engine.daemon?.log() ?? '')?.[1]);
const address = (host = '127.0.0.1'): string => `tcp://${host}:${port()}`;
const flagsOf = ({ cert, key }: Leaf, ca = own.ca): string[] => [
  ...['--tlsverify', '--tlscacert', ca, '--tlscert', cert, '--tlskey', key],
];
const secure = flagsOf(client);

/** Runs a client with the certificates of a good one, or the flags given instead. */
const ask = (
  program: Client,
  args: readonly string[],
  options: { flags?: string[]; stdin?: string | Uint8Array } = {},
): Promise<Result> =>
  run(program, [...(options.flags ?? secure), ...args], {
    host: address(),
    ...(options.stdin !== undefined && { stdin: options.stdin }),
  });
const out = async (program: Client, ...args: string[]): Promise<string> =>
  await must(program, [...secure, ...args], { host: address() });

const name = uniqueName('tls');
beforeAll(async () => {
  await engine.must(gantryClient, ['run', '-d', '--name', name, 'busybox', 'sleep', '100000']);
}, 60_000);

describe.skipIf(givenHost() !== undefined).each(allClients())('TLS: $name', (program) => {
  test('version, by address and by name', async () => {
    expect((await ask(program, ['version'])).code).toBe(0);
    expect((await run(program, [...secure, 'version'], { host: address('localhost') })).code).toBe(0);
  });

  test('input of run and exec ends where the client ends it, and output goes on', async () => {
    const script = 'cat; sleep 0.2; echo after >&2; exit 4';
    const wanted = { code: 4, stdout: 'in', stderr: 'after\n' };
    const ran = await ask(program, ['run', '--rm', '-i', 'busybox', 'sh', '-c', script], { stdin: 'in' });
    expect(ran).toEqual(wanted);
    expect(await ask(program, ['exec', '-i', name, 'sh', '-c', script], { stdin: 'in' })).toEqual(wanted);
  });

  test('megabytes go through a process and come back whole', async () => {
    const bytes = new Uint8Array(8_000_000).map((_, index) => 97 + (index % 23));
    const { stdout } = await ask(program, ['exec', '-i', name, 'cat'], { stdin: bytes });
    expect(Bun.hash(stdout)).toBe(Bun.hash(bytes));
  });

  test('a terminal: attach, type, detach, attach again', async () => {
    const tty = uniqueName('tls-tty');
    await out(program, 'run', '-dit', '--name', tty, 'busybox', 'sh');
    try {
      using first = openTerminal(program, [...secure, 'attach', tty], address());
      await first.typeUntil('echo $((20+3))\n', '23');
      first.type('\x10\x11');
      await first.exited;
      using second = openTerminal(program, [...secure, 'attach', tty], address());
      await second.typeUntil('echo $((40+5))\n', '45');
      second.type('exit 5\n');
      expect(await second.exited).toBe(5);
    } finally {
      await engine.must(gantryClient, ['rm', '-f', tty]);
    }
  });

  test('logs -f and events are streams', async () => {
    const logged = uniqueName('tls-logs');
    const since = String(Date.now() / 1000 - 1);
    await out(program, 'run', '-d', '--name', logged, 'busybox', 'sh', '-c', 'echo one; sleep 0.5; echo two');
    expect(await out(program, 'logs', '-f', logged)).toBe('one\ntwo');
    await out(program, 'rm', '-f', logged);
    const filters = ['--filter', `container=${logged}`, '--format', '{{.Action}}'];
    const until = String(Date.now() / 1000);
    expect(await out(program, 'events', '--since', since, '--until', until, ...filters)).toContain('destroy');
  });

  test('save, load and cp', async () => {
    const archive = join(directory, `${program.name.replaceAll(/\W/g, '-')}.tar`);
    await out(program, 'save', '-o', archive, 'busybox');
    expect(await out(program, 'load', '-i', archive)).toContain('busybox');
    const [there, back] = [join(directory, 'there'), join(directory, `back-${program.name}`)];
    writeFileSync(there, 'x'.repeat(3_000_000));
    await out(program, 'cp', there, `${name}:/there`);
    await out(program, 'cp', `${name}:/there`, back);
    expect(await Bun.file(back).text()).toBe(await Bun.file(there).text());
  });

  test('who cannot show a good certificate is refused', async () => {
    const strangers: [string, string[]][] = [
      ['none', ['--tlsverify', '--tlscacert', own.ca]],
      ['of another authority', flagsOf(foreign.issue('stranger', { usage: 'clientAuth' }))],
      ['expired', flagsOf(own.issue('old', { usage: 'clientAuth', expired: true }))],
      ["a server's", flagsOf(own.issue('misused', { usage: 'serverAuth' }))],
    ];
    for (const [what, flags] of strangers) {
      const { code, stdout, stderr } = await ask(program, ['ps', '-aq'], { flags });
      expect([what, code, stdout]).toEqual([what, 1, '']);
      expect(stderr).toContain('error during connect');
    }
  });

  test('the daemon has to prove who it is', async () => {
    const other = await ask(program, ['ps'], { flags: flagsOf(client, foreign.ca) });
    expect(other.stderr).toContain('x509: certificate signed by unknown authority');
    const elsewhere = await run(program, [...secure, 'ps'], { host: address('127.0.0.2') });
    expect([other.code, elsewhere.code]).toEqual([1, 1]);
    // Unless the user does not want to know.
    const flags = ['--tls', ...secure.slice(1), '--tlsverify=false'];
    expect((await ask(program, ['ps', '-q'], { flags })).code).toBe(0);
  });

  test('plain HTTP is told what it met', async () => {
    const { code, stderr } = await ask(program, ['ps'], { flags: [] });
    expect(code).toBe(1);
    expect(stderr).toContain('Error response from daemon: Client sent an HTTP request to an HTTPS server.');
  });

  test('DOCKER_TLS_VERIFY and DOCKER_CERT_PATH do as well', async () => {
    const certs = join(directory, 'certs');
    await Bun.$`mkdir -p ${certs} && cp ${own.ca} ${certs}/ca.pem && cp ${client.cert} ${certs}/cert.pem && cp ${client.key} ${certs}/key.pem`;
    const env = { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: certs };
    const listed = await must(program, ['ps', '--format', '{{.Names}}'], { host: address(), env });
    expect(listed.split('\n')).toContain(name);
  });
});

describe.skipIf(givenHost() !== undefined)('TLS: the daemon', () => {
  /** What comes back before the connection is closed. */
  const answer = (socket: Socket): Promise<string> =>
    new Promise((resolve) => {
      let text = '';
      socket.on('data', (chunk) => (text += chunk.toString('latin1')));
      socket.on('error', () => {});
      socket.on('close', () => resolve(text));
    });

  test('strangers that say nothing, half a greeting or nonsense hold up nobody, and go', async () => {
    const greeting = Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1]);
    const sockets = Array.from({ length: 300 }, (_, index) => {
      const socket = connect(port(), '127.0.0.1');
      if (index % 3 === 1) socket.write(greeting);
      if (index % 3 === 2) socket.write(Buffer.alloc(600, 0xfe));
      return { socket, closed: answer(socket) };
    });
    expect((await ask(gantryClient, ['ps', '-q'])).code).toBe(0);
    // All are closed: at once, as the oldest of too many, or when their time is over.
    await Promise.all(sockets.map(({ closed }) => closed));
    expect((await ask(gantryClient, ['ps', '-q'])).code).toBe(0);
  }, 60_000);

  test('a WebSocket attaches through it', async () => {
    const talker = uniqueName('tls-ws');
    await engine.must(gantryClient, ['run', '-di', '--name', talker, 'busybox', 'cat']);
    const read = (path: string): string => readFileSync(path, 'utf8');
    const tls = { ca: read(own.ca), cert: read(client.cert), key: read(client.key) };
    const url = `wss://127.0.0.1:${port()}/containers/${talker}/attach/ws?stream=1&stdin=1&stdout=1`;
    const socket = new WebSocket(url, { tls });
    socket.binaryType = 'arraybuffer';
    let seen = '';
    socket.onopen = () => socket.send('over TLS\n');
    socket.onmessage = ({ data }) => {
      seen += typeof data === 'string' ? data : Buffer.from(data as ArrayBuffer).toString();
    };
    await eventually('the echo', () => seen === 'over TLS\n');
    socket.close();
    await engine.must(gantryClient, ['rm', '-f', talker]);
  });

  test('a client that vanishes takes its exec with it, when that was asked for', async () => {
    const program = Bun.spawn(
      [gantryClient.path, ...secure, 'exec', '--kill-on-disconnect', name, 'sleep', '7003'],
      {
        env: { DOCKER_HOST: address(), HOME: '/nonexistent' },
        stdin: 'pipe',
        stdout: 'ignore',
        stderr: 'ignore',
      },
    );
    const running = async (): Promise<boolean> =>
      (await engine.must(gantryClient, ['top', name])).includes('sleep 7003');
    await eventually('the process', running);
    program.kill('SIGKILL');
    await eventually('its end', async () => !(await running()));
  }, 120_000);

  test('SIGHUP reads renewed certificates; unusable ones change nothing', async () => {
    const { daemon } = engine;
    if (!daemon) throw new Error('there is no daemon');
    const kept = [own.ca, server.cert, server.key].map((path) => [path, `${path}.kept`] as const);
    for (const [path, copy] of kept) copyFileSync(path, copy);
    const reload = async (text: string): Promise<void> => {
      const before = daemon.log().length;
      process.kill(daemon.pid, 'SIGHUP');
      await eventually(text, () => daemon.log().slice(before).includes(text));
    };
    const shown = foreign.issue('renewed');
    copyFileSync(shown.cert, server.cert);
    await reload('private key does not match public key');
    expect((await ask(gantryClient, ['ps'])).code).toBe(0);
    copyFileSync(shown.key, server.key);
    await reload('certificates reloaded');
    expect((await ask(gantryClient, ['ps'])).stderr).toContain('signed by unknown authority');
    expect((await ask(gantryClient, ['ps'], { flags: flagsOf(client, foreign.ca) })).code).toBe(0);
    for (const [path, copy] of kept) copyFileSync(copy, path);
    await reload('certificates reloaded');
    expect((await ask(gantryClient, ['ps'])).code).toBe(0);
    // Who was let in by an authority that counts no longer has to go, whatever he is doing.
    const listeners = async () =>
      Number(await engine.must(gantryClient, ['info', '-f', '{{.NEventsListener}}']));
    const watching = ask(gantryClient, ['events']);
    await eventually('a client that stays', async () => (await listeners()) > 0);
    const authority = readFileSync(own.ca);
    copyFileSync(foreign.ca, own.ca);
    await reload('certificates reloaded');
    expect((await watching).code).not.toBe(0);
    await eventually('it to be gone', async () => (await listeners()) === 0);
    writeFileSync(own.ca, authority);
    await reload('certificates reloaded');
  });
});
