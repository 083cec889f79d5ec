import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { conflict, notFound } from '#base';
import type { ClientStreams } from '#containers';
import { listen } from '../listen/listen.ts';
import { createFakeBackends, type FakeOptions, sampleContainer, serveFakes } from '../testing/index.ts';

const UPGRADE = 'Connection: Upgrade\r\nUpgrade: tcp\r\n';
const attach = (headers: string, version = '', query = 'stream=1&stdin=1&stdout=1&stderr=1') =>
  `POST ${version}/containers/one/attach?${query} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;
const frame = (stream: number, text: string) =>
  `${String.fromCharCode(stream, 0, 0, 0, 0, 0, 0, text.length)}${text}`;

const withStdin = (options: FakeOptions = {}) =>
  serveFakes(createFakeBackends({ views: [sampleContainer('one', { OpenStdin: true })], ...options }));

const HEAD_101 =
  'HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n';
const HEAD_200 = 'HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n';

describe('hijack', () => {
  test.each([
    ['with Upgrade', UPGRADE, HEAD_101],
    ['without Upgrade, as docker-py', '', HEAD_200],
  ])('%s: input, frames, half close both ways', async (_, headers, head) => {
    await using server = await withStdin();
    const client = await server.connect();
    client.send(attach(headers));
    await client.read('\r\n\r\n');
    client.send('hello\n');
    await client.read(frame(1, 'hello\n'));
    client.send('GET /_ping HTTP/1.1\r\n\r\n');
    await client.read('_ping');
    client.halfClose();
    const all = await client.read();
    expect(all).toBe(
      head + frame(1, 'hello\n') + frame(1, 'GET /_ping HTTP/1.1\r\n\r\n') + frame(2, 'end\n'),
    );
  });

  test.each([UPGRADE, ''])('input in the same packet as the request is input (%j)', async (headers) => {
    await using server = await withStdin();
    const client = await server.connect();
    client.send(`${attach(`${headers}Content-Length: 2\r\n`)}{}early\n`);
    client.halfClose();
    expect(await client.read()).toEndWith(frame(1, 'early\n') + frame(2, 'end\n'));
  });

  test('a head in pieces, after other requests on the connection', async () => {
    await using server = await withStdin();
    const client = await server.connect();
    client.send('GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.read('OK');
    const text = attach('');
    client.send(text.slice(0, 80));
    await new Promise((resolve) => setImmediate(resolve));
    client.send(`${text.slice(80)}early\n`);
    client.halfClose();
    expect(await client.read()).toEndWith(HEAD_200 + frame(1, 'early\n') + frame(2, 'end\n'));
  });

  test('with a terminal output is raw', async () => {
    await using server = await serveFakes(
      createFakeBackends({ views: [sampleContainer('one', { Tty: true, OpenStdin: true })] }),
    );
    const client = await server.connect();
    client.send(attach(UPGRADE));
    client.send('hi');
    client.halfClose();
    const all = await client.read();
    expect(all).toContain('Content-Type: application/vnd.docker.raw-stream');
    expect(all).toEndWith('\r\n\r\nhiend\n');
  });

  test('before 1.42 the content type is always raw', async () => {
    await using server = await withStdin();
    const client = await server.connect();
    client.send(attach(UPGRADE, '/v1.41'));
    client.halfClose();
    expect(await client.read()).toContain('Content-Type: application/vnd.docker.raw-stream\r\n');
  });

  test.each(['', UPGRADE])(
    "an attach that is refused is told as text, and ends HTTP (%j), as docker's",
    async (headers) => {
      await using server = await withStdin({
        containers: {
          attach: () => {
            throw conflict('cannot attach to a paused container');
          },
        },
      });
      const client = await server.connect();
      client.send(attach(headers));
      // Until the server closes.
      const answer = await client.read();
      expect(answer).toStartWith('HTTP/1.1 409 ');
      expect(answer).toContain('Content-Type: application/vnd.docker.raw-stream\r\n');
      expect(answer).toEndWith('\r\n\r\ncannot attach to a paused container\r\n');
    },
  );

  test('errors before an exec is hijacked are plain answers, and the connection goes on', async () => {
    await using server = await serveFakes(createFakeBackends());
    const client = await server.connect();
    client.send(
      `POST /exec/nope/start HTTP/1.1\r\nHost: x\r\n${UPGRADE}Content-Type: application/json\r\nContent-Length: 12\r\n\r\n{"Detach":7}`,
    );
    expect(await client.read('"}')).toStartWith('HTTP/1.1 400 ');
    client.send('GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(await client.read('OK')).toContain('HTTP/1.1 200');
    client.close();
  });

  test('without stdin what the client sends is dropped, and its half close ends nothing', async () => {
    const { promise: finish, resolve } = Promise.withResolvers<void>();
    await using server = await withStdin({
      containers: {
        attach: () => ({
          tty: false,
          openStdin: true,
          async run(streams: ClientStreams) {
            expect(streams.input).toBeUndefined();
            await finish;
            await streams.write({ stream: 'stdout', data: Buffer.from('late') });
          },
        }),
      },
    });
    const client = await server.connect();
    client.send(attach(UPGRADE, '', 'stream=1&stdout=1'));
    await client.read('\r\n\r\n');
    client.send('dropped');
    client.halfClose();
    resolve();
    expect(await client.read()).toEndWith(frame(1, 'late'));
  });

  test('a client that is gone aborts the signal at the next write', async () => {
    const { promise: aborted, resolve } = Promise.withResolvers<boolean>();
    await using server = await withStdin({
      containers: {
        attach: () => ({
          tty: false,
          openStdin: false,
          async run(streams: ClientStreams) {
            while (!streams.signal.aborted) {
              await streams.write({ stream: 'stdout', data: Buffer.alloc(1000) });
              await new Promise((next) => setImmediate(next));
            }
            resolve(true);
          },
        }),
      },
    });
    const client = await server.connect();
    client.send(attach(UPGRADE, '', 'stream=1&stdout=1'));
    await client.read('\r\n\r\n');
    client.close();
    expect(await aborted).toBe(true);
  });

  test('a client that does not read holds the writer back', async () => {
    let written = 0;
    const total = 32 * 1024 * 1024;
    const { promise: blocked, resolve } = Promise.withResolvers<void>();
    await using server = await withStdin({
      containers: {
        attach: () => ({
          tty: true,
          openStdin: false,
          async run(streams: ClientStreams) {
            const data = Buffer.alloc(64 * 1024, 'x');
            for (; written < total; written += data.length) {
              const wait = streams.write({ stream: 'stdout', data });
              if (wait) resolve();
              await wait;
            }
          },
        }),
      },
    });
    const client = await server.connect();
    client.socket.pause();
    client.send(attach(UPGRADE, '', 'stream=1&stdout=1'));
    await blocked;
    expect(written).toBeLessThan(total);
    client.socket.resume();
    const all = await client.read();
    expect(all.length - all.indexOf('\r\n\r\n') - 4).toBe(total);
  });
});

describe('exec start', () => {
  const start = (body: string, headers = UPGRADE) =>
    `POST /exec/e1/start HTTP/1.1\r\nHost: x\r\n${headers}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const view = {
    id: 'e1',
    containerId: sampleContainer('one').id,
    running: false,
    exitCode: undefined,
    pid: 0,
    config: {
      attachStdin: true,
      attachStdout: true,
      attachStderr: true,
      tty: false,
      detachKeys: '',
      env: [],
      cmd: ['cat'],
      privileged: false,
      user: '',
      workingDir: '',
    },
  };

  test('a failure to start is told on the stream', async () => {
    await using server = await withStdin({
      containers: {
        exec: () => view,
        startExec: () => ({
          tty: false,
          run: async () => {
            throw notFound('exec: "nope": executable file not found in $PATH');
          },
        }),
      },
    });
    const answer = await server.exchange(start('{}'));
    expect(answer).toStartWith('HTTP/1.1 101 UPGRADED');
    expect(answer).toContain('executable file not found in $PATH\r\n');
  });

  test('detached: the answer waits for the start, failures are a status', async () => {
    const detached: boolean[] = [];
    await using server = await withStdin({
      containers: {
        exec: () => view,
        startExec: (_, { detach }) => ({
          tty: false,
          run: async (streams) => void detached.push(detach && streams === undefined),
        }),
      },
    });
    expect(await server.exchange(start('{"Detach":true}'), 'Length: 0')).toStartWith('HTTP/1.1 200 OK');
    expect(detached).toEqual([true]);
  });

  const echoing = () =>
    withStdin({
      containers: {
        exec: () => view,
        startExec: () => ({
          tty: true,
          async run(streams) {
            for await (const data of streams?.input ?? []) await streams?.write({ stream: 'stdout', data });
          },
        }),
      },
    });
  /** Long enough for the server to read what was sent before more comes. */
  const turns = async () => {
    for (let turn = 0; turn < 8; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  const body = '{"Tty":true}';

  test.each([
    ['', ['HEAD{"Tty":true}typed']],
    [UPGRADE, ['HEAD{"Tty":true}typed']],
    ['', ['HEAD', '{"Tty":true}typed']],
    [UPGRADE, ['HEAD', '{"Tty":true}typed']],
    ['', ['HEAD', '{"Tty":true}', 'typed']],
    [UPGRADE, ['HEAD', '{"Tty":true}', 'typed']],
    ['', ['HEAD', '{"Tty', '":true}ty', 'ped']],
    [UPGRADE, ['HEAD{"Tty', '":true}ty', 'ped']],
  ])('input behind the body is input, in whatever packets (%j %j)', async (headers, packets) => {
    await using server = await echoing();
    const client = await server.connect();
    const head = start(body, headers).slice(0, -body.length);
    for (const packet of packets) {
      client.send(packet.replace('HEAD', head));
      await turns();
    }
    client.halfClose();
    const answer = await client.read();
    expect(answer).toStartWith(headers === '' ? HEAD_200 : 'HTTP/1.1 101 UPGRADED\r\n');
    expect(answer).toEndWith('\r\n\r\ntyped');
  });
});

test('hijack: a silent client on TCP is asked from time to time whether it is still there', async () => {
  await using server = await withStdin();
  const [listener] = await listen(server.api, { kind: 'tcp', host: '127.0.0.1', port: 0 });
  const port = Number(listener?.address.split(':').at(-1));
  const socket = connect({ host: '127.0.0.1', port });
  const { promise: answered, resolve } = Promise.withResolvers<void>();
  socket.once('data', () => resolve());
  socket.write(attach(UPGRADE));
  await answered;
  expect(timerOfConnectionsAt(port)).toEqual(['keepalive']);
  socket.destroy();
  await listener?.close();
});

/** The kernel's timer of each connection that a listener at `port` has accepted. Source: proc_net_tcp.rst. */
function timerOfConnectionsAt(port: number): string[] {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readFileSync('/proc/self/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, address = '', , state]) => address.endsWith(local) && state === '01')
    .map((fields) => (fields[5]?.startsWith('02:') ? 'keepalive' : (fields[5] ?? '')));
}
