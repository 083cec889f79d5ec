import { afterAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { givenHost, startDaemon } from '../../harness/daemon.ts';
import { createAuthority } from '../../harness/pki.ts';
import { GANTRY, gantryClient as gantry, must } from '../../harness/programs.ts';

/** Runs a daemon that has to refuse its flags; what it said. Nothing of it may stay. */
function refusal(flags: readonly string[], config: object = {}): string {
  const dir = mkdtempSync(join(tmpdir(), 'gantry-test-listen-'));
  try {
    const file = join(dir, 'daemon.json');
    writeFileSync(file, JSON.stringify(config));
    const roots = ['--data-root', `${dir}/data`, '--exec-root', `${dir}/exec`, '--pidfile', `${dir}/pid`];
    const ended = Bun.spawnSync(
      [GANTRY, 'daemon', '--config-file', file, ...roots, ...flags.map((flag) => flag.replace('DIR', dir))],
      { timeout: 20_000, env: { ...process.env, HOME: '/nonexistent' } },
    );
    expect([flags, ended.exitCode]).toEqual([flags, 1]);
    expect(existsSync(`${dir}/s.sock`)).toBe(false);
    expect(existsSync(`${dir}/pid`)).toBe(false);
    return ended.stderr.toString();
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const OPEN = 'gives root to everybody';

describe.skipIf(givenHost() !== undefined)('S1: who reaches the API', () => {
  test.each([
    [['-H', 'tcp://0.0.0.0:0'], {}],
    [['-H', 'tcp://[::]:0'], {}],
    [['-H', 'tcp://192.0.2.1:0'], {}],
    [['-H', 'tcp://example.invalid:0'], {}],
    [['-H', 'tcp://127.0.0.1.example.invalid:0'], {}],
    // A good endpoint beside it does not help, in any order.
    [['-H', 'unix://DIR/s.sock', '-H', 'tcp://0.0.0.0:0'], {}],
    [['-H', 'tcp://0.0.0.0:0', '-H', 'unix://DIR/s.sock'], {}],
    [['-H', 'tcp://127.0.0.1:0', '-H', 'tcp://0.0.0.0:0'], {}],
    [[], { hosts: ['tcp://0.0.0.0:0'] }],
    [['--insecure-tcp=false', '-H', 'tcp://0.0.0.0:0'], {}],
  ])('plain TCP off the loopback is refused: %j %j', (flags, config) => {
    expect(refusal(flags, config)).toContain(OPEN);
  });

  test.each([['--tlscert=x'], ['--tlskey=x'], ['--tlscacert=x'], ['--authorization-plugin=x']])(
    'a protection that is not there is refused, not ignored: %s',
    (flag) => {
      const flags = ['-H', 'tcp://127.0.0.1:0', flag];
      expect(refusal(flags)).toContain(flag.replace(/^--|=x$/g, ''));
      expect(refusal(['-H', 'unix://DIR/s.sock', flag])).toContain(flag.replace(/^--|=x$/g, ''));
    },
  );

  describe('TLS', () => {
    const directory = mkdtempSync(join(tmpdir(), 'gantry-test-listen-tls-'));
    afterAll(() => rmSync(directory, { recursive: true, force: true }));
    const own = createAuthority(join(directory, 'own'));
    const { cert, key } = own.issue('server');
    const files = ['--tlscacert', own.ca, '--tlscert', cert, '--tlskey', key];
    const anywhere = ['-H', 'tcp://0.0.0.0:0'];

    test.each([
      [[...anywhere, '--tls'], {}],
      [[...anywhere, '--tls', '--tlsverify=false'], {}],
      [[...anywhere, '--tlsverify=false'], {}],
      [['--tls'], { hosts: ['tcp://0.0.0.0:0'] }],
      [anywhere, { tls: true }],
      [anywhere, { tlsverify: false }],
    ])('that knows no clients is refused off the loopback: %j %j', (flags, config) => {
      expect(refusal([...flags, ...files], config)).toContain(OPEN);
    });

    test.each([
      [['--tlsverify'], 'could not load X509 key pair (cert: "/nonexistent/.docker/cert.pem"'],
      [
        ['--tlsverify', '--tlscert', cert, '--tlskey', key],
        'could not read CA certificate "/nonexistent/.docker/ca.pem"',
      ],
      [
        ['--tls', '--tlscert', cert, '--tlskey', own.ca],
        'error reading X509 key pair - make sure the key is not encrypted',
      ],
      [['--tls', '--tlscert', key, '--tlskey', key], 'tls: failed to find any PEM data in certificate input'],
      [
        ['--tlsverify', '--tlscert', cert, '--tlskey', key, '--tlscacert', key],
        'failed to append certificates from PEM file',
      ],
    ])('certificates that cannot be used are refused: %j', (flags, text) => {
      expect(refusal(['-H', 'unix://DIR/s.sock', ...flags])).toMatch(/^(\S+: )?invalid TLS configuration: /);
      expect(refusal(['-H', 'unix://DIR/s.sock', ...flags])).toContain(text);
    });

    test('with client certificates it is allowed anywhere, and serves nobody without one', async () => {
      await using daemon = await startDaemon({ flags: [...anywhere, '--tlsverify', ...files] });
      const url = `https://127.0.0.1:${tcpPort(daemon.log())}/_ping`;
      const ca = readFileSync(own.ca, 'utf8');
      await expect(fetch(url, { tls: { ca } })).rejects.toThrow();
      const client = own.issue('client', { usage: 'clientAuth' });
      const proof = { cert: readFileSync(client.cert, 'utf8'), key: readFileSync(client.key, 'utf8') };
      expect(await (await fetch(url, { tls: { ca, ...proof } })).text()).toBe('OK');
    });

    test('without client certificates it is allowed on the loopback, or anywhere by name', async () => {
      for (const flags of [
        ['-H', 'tcp://127.0.0.1:0'],
        ['--insecure-tcp', ...anywhere],
      ]) {
        await using daemon = await startDaemon({ flags: [...flags, '--tls', ...files.slice(2)] });
        const url = `https://127.0.0.1:${tcpPort(daemon.log())}/_ping`;
        const tls = { ca: readFileSync(own.ca, 'utf8') };
        expect(await (await fetch(url, { tls })).text()).toBe('OK');
      }
    });
  });

  test('hosts as flags and in the file at once are refused', () => {
    expect(refusal(['-H', 'unix://DIR/s.sock'], { hosts: ['tcp://127.0.0.1:0'] })).toContain('hosts');
  });

  test('a group that does not exist is refused', () => {
    expect(refusal(['-H', 'unix://DIR/s.sock', '--group', 'no-such-group'])).toContain('no-such-group');
  });

  test.each(['tcp://127.0.0.1:0', 'tcp://localhost:0'])('%s is allowed', async (endpoint) => {
    await using daemon = await startDaemon({ flags: ['-H', endpoint] });
    expect(await (await fetch(`http://127.0.0.1:${tcpPort(daemon.log())}/_ping`)).text()).toBe('OK');
  });

  test('--insecure-tcp allows it, by name only', async () => {
    await using daemon = await startDaemon({ flags: ['--insecure-tcp', '-H', 'tcp://0.0.0.0:0'] });
    expect(await (await fetch(`http://127.0.0.1:${tcpPort(daemon.log())}/_ping`)).text()).toBe('OK');
  });

  test('a container reaches the API on no address of the host, not even through the loopback', async () => {
    await using daemon = await startDaemon({ flags: ['-H', 'tcp://127.0.0.1:0'] });
    const { host } = daemon;
    await must(gantry, ['image', 'bootstrap', 'busybox'], { host });
    // A published port turns on what lets loopback addresses be routed: the worst case.
    const server = 'mkdir /www; echo served > /www/index.html; exec httpd -f -p 80 -h /www';
    await must(gantry, ['run', '-d', '--name', 'web', '-p', '0:80', 'busybox', 'sh', '-c', server], { host });
    await must(gantry, ['run', '-d', '--name', 'attacker', '--privileged', 'busybox', 'sleep', '1000'], {
      host,
    });
    const published = Number(
      (await must(gantry, ['port', 'web', '80/tcp'], { host })).split('\n')[0]?.split(':').at(-1),
    );
    const gateway = await must(
      gantry,
      ['inspect', '-f', '{{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}', 'attacker'],
      { host },
    );
    const ask = async (address: string, port: number | string, path: string) => {
      const url = `http://${address.includes(':') ? `[${address}]` : address}:${port}${path}`;
      const script = `timeout 3 wget -q -O- '${url}' 2>/dev/null || echo refused`;
      return await must(gantry, ['exec', 'attacker', 'sh', '-c', script], { host });
    };
    const api = tcpPort(daemon.log());
    const addresses = Object.values(networkInterfaces()).flatMap((list) =>
      (list ?? []).map(({ address }) => address),
    );
    expect(addresses).toContain(gateway);
    for (const address of [...new Set([...addresses, '127.0.0.1', '127.0.0.2'])])
      expect([address, await ask(address, api, '/_ping')]).toEqual([address, 'refused']);
    expect(await ask(gateway, published, '/')).toBe('served');

    const loopback = `
      echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet
      ip addr del 127.0.0.1/8 dev lo
      ip route add 127.0.0.0/8 via ${gateway}`;
    await must(gantry, ['exec', 'attacker', 'sh', '-ec', loopback], { host });
    for (const address of ['127.0.0.1', '127.0.0.2'])
      expect([address, await ask(address, api, '/_ping')]).toEqual([address, 'refused']);
    await must(gantry, ['rm', '-f', 'web', 'attacker'], { host });
  });
});

/** The port of the daemon's TCP listener, from what it logs when it is ready. */
function tcpPort(log: string): string {
  const port = /tcp:\/\/[^"\s,\]]*:(\d+)/.exec(log)?.[1];
  if (port === undefined) throw new Error(`no address in the log:\n${log}`);
  return port;
}
