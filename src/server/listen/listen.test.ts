import { describe, expect, test } from 'bun:test';
import { existsSync, lstatSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '#base';
import { createServer } from '../http/server.ts';
import { createFakeBackends } from '../testing/index.ts';
import { parseListenEndpoint } from './endpoint.ts';
import { type ListenOptions, listen } from './listen.ts';

function temporary() {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-listen-'));
  return {
    path: join(folder, 'api.sock'),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

const api = () => createServer({ backends: createFakeBackends(), logger: silentLogger, version: 'test' });
const listenOn = (path: string, options: ListenOptions = { group: '' }) =>
  listen(api(), { kind: 'unix', path }, options);

describe('parseListenEndpoint', () => {
  test.each([
    ['unix:///run/x.sock', { kind: 'unix', path: '/run/x.sock' }],
    ['/run/x.sock', { kind: 'unix', path: '/run/x.sock' }],
    ['tcp://', { kind: 'tcp', host: '127.0.0.1', port: 2375 }],
    ['tcp://0.0.0.0:80', { kind: 'tcp', host: '0.0.0.0', port: 80 }],
    ['tcp://[::1]:80', { kind: 'tcp', host: '::1', port: 80 }],
    ['fd://', { kind: 'fd', fd: undefined }],
    ['fd://*', { kind: 'fd', fd: undefined }],
    ['fd://3', { kind: 'fd', fd: 3 }],
  ])('%s', (text, endpoint) => {
    expect(parseListenEndpoint(text)).toEqual(endpoint as never);
  });

  test('the port of TLS is another', () => {
    expect(parseListenEndpoint('tcp://0.0.0.0', { tls: true })).toMatchObject({ port: 2376 });
  });

  test.each(['', 'x', 'http://x', 'unix://x', 'tcp://a:b', 'tcp://a:99999', 'fd://x'])(
    '%j is refused',
    (text) => {
      expect(() => parseListenEndpoint(text)).toThrow('invalid listen address');
    },
  );
});

describe('listen', () => {
  test('the socket is for owner and group only, and goes with the listener', async () => {
    using place = temporary();
    const [listener] = await listenOn(place.path);
    expect(lstatSync(place.path).mode & 0o777).toBe(0o660);
    expect(listener?.address).toBe(`unix://${place.path}`);
    await listener?.close();
    expect(existsSync(place.path)).toBe(false);
  });

  test('a live socket is refused, a stale one replaced, another file left alone', async () => {
    using place = temporary();
    const [first] = await listenOn(place.path);
    await expect(listenOn(place.path)).rejects.toThrow('another process answers there');
    await first?.close();
    const child = Bun.spawnSync([
      process.execPath,
      '-e',
      `require("node:net").createServer().listen(${JSON.stringify(place.path)}, () => process.kill(process.pid, "SIGKILL"))`,
    ]);
    expect(child.signalCode).toBe('SIGKILL');
    expect(existsSync(place.path)).toBe(true);
    const [second] = await listenOn(place.path);
    const answer = await fetch('http://x/_ping', { unix: place.path });
    expect(await answer.text()).toBe('OK');
    await second?.close();
    writeFileSync(place.path, 'data');
    await expect(listenOn(place.path)).rejects.toThrow('no socket');
  });

  test('paths that are too long and unknown groups are refused', async () => {
    using place = temporary();
    await expect(listenOn(`/tmp/${'x'.repeat(120)}`)).rejects.toThrow('at most 107 bytes');
    await expect(listenOn(place.path, { group: 'no-such-group' })).rejects.toThrow('does not exist');
    expect(existsSync(place.path)).toBe(false);
  });

  // S1: nobody but this machine reaches an unprotected API by mistake.
  test.each(['0.0.0.0', '::', '192.0.2.1', 'example.com', '127.0.0.1.example.com'])(
    'plain TCP on %s needs a flag',
    async (host) => {
      await expect(listen(api(), { kind: 'tcp', host, port: 0 })).rejects.toThrow('gives root to everybody');
    },
  );

  test('TCP on the loopback', async () => {
    const [listener] = await listen(api(), { kind: 'tcp', host: '127.0.0.1', port: 0 });
    const answer = await fetch(`${listener?.address.replace('tcp', 'http')}/v1.30/_ping`);
    expect(await answer.text()).toBe('OK');
    await listener?.close();
  });

  test('fd://: sockets of systemd, only when they are meant for this process', async () => {
    await expect(listen(api(), { kind: 'fd', fd: undefined }, { env: {} })).rejects.toThrow('no sockets');
    await expect(
      listen(api(), { kind: 'fd', fd: undefined }, { env: { LISTEN_FDS: '1', LISTEN_PID: '1' } }),
    ).rejects.toThrow('no sockets');
  });
});
