import { describe, expect, test } from 'bun:test';
import { hasCode } from '#base';
import { parseEndpoint } from './endpoint.ts';
import { createEngineClient } from './engine-client.ts';
import { daemonMessage } from './errors.ts';
import { type RawConnection, startRawServer } from './testing/index.ts';

const reply = (status: string, body: string, headers = ''): string =>
  `HTTP/1.1 ${status}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`;
const PING = reply('200 OK', 'OK', 'Api-Version: 1.41\r\n');

/** Answers the ping, then whatever `answer` says about the last request's first line. */
const withPing = (answer: (line: string, connection: RawConnection) => void) => {
  const seen = new WeakMap<RawConnection, number>();
  return (connection: RawConnection) => {
    const fresh = connection.received.slice(seen.get(connection) ?? 0);
    if (!fresh.includes('\r\n\r\n')) return;
    seen.set(connection, connection.received.length);
    const line = fresh.slice(0, fresh.indexOf('\r\n'));
    if (line.includes('/_ping')) connection.send(PING);
    else answer(line, connection);
  };
};

const clientOf = (url: string) => createEngineClient(parseEndpoint(url));

describe('engine client on a socket', () => {
  test('negotiates once and keeps one connection for requests in a row', async () => {
    const lines: string[] = [];
    using server = startRawServer(
      withPing((line, connection) => {
        lines.push(line);
        connection.send(reply('200 OK', '[]'));
      }),
    );
    const client = clientOf(server.url);
    await client.containers.list({ all: true, filters: { status: ['exited'] } });
    await client.images.list();
    expect(lines).toEqual([
      'GET /v1.41/containers/json?all=1&filters=%7B%22status%22%3A%7B%22exited%22%3Atrue%7D%7D HTTP/1.1',
      'GET /v1.41/images/json HTTP/1.1',
    ]);
    expect(server.connections).toHaveLength(1);
    client.close();
  });

  test('reads chunked bodies cut anywhere', async () => {
    using server = startRawServer(
      withPing((_line, connection) => {
        const body = '[{"Id":"a","Names":["/x"]}]';
        const text = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${[...body].map((char) => `1\r\n${char}\r\n`).join('')}0\r\n\r\n`;
        for (const char of text) connection.send(char);
      }),
    );
    const [container] = await clientOf(server.url).containers.list();
    expect(container).toMatchObject({ Id: 'a' });
  });

  test("the daemon's message, status and own code come back", async () => {
    using server = startRawServer(
      withPing((line, connection) => {
        const body = line.includes('/own/')
          ? '{"message":"busy","code":"conflict"}'
          : '{"message":"No such container: x"}';
        connection.send(reply(line.includes('/own/') ? '500 Error' : '404 Not Found', body));
      }),
    );
    const client = clientOf(server.url);
    const missing = await client.containers.inspect('x').catch((error: unknown) => error);
    expect(hasCode(missing, 'not_found')).toBe(true);
    expect((missing as Error).message).toBe('Error response from daemon: No such container: x');
    expect(daemonMessage(missing)).toBe('No such container: x');
    const own = await client.containers.start('own').catch((error: unknown) => error);
    expect(hasCode(own, 'conflict')).toBe(true);
  });

  test('304 is success without a change', async () => {
    using server = startRawServer(
      withPing((_line, connection) => connection.send('HTTP/1.1 304 Not Modified\r\n\r\n')),
    );
    expect(await clientOf(server.url).containers.start('x')).toBeUndefined();
  });

  test("nobody there: docker's words", async () => {
    const error = await clientOf('unix:///nonexistent/x.sock')
      .system.info()
      .catch((thrown: unknown) => thrown);
    expect(hasCode(error, 'unavailable')).toBe(true);
    expect((error as Error).message).toBe(
      'Cannot connect to the Gantry daemon at unix:///nonexistent/x.sock. Is the gantry daemon running?',
    );
  });

  test('a hijacked connection is raw both ways, with half close', async () => {
    using server = startRawServer((connection) => {
      if (connection.received.startsWith('GET /_ping') && !connection.received.includes('attach')) {
        if (!connection.received.includes('sent')) connection.send(PING);
      }
      if (connection.received.endsWith('\r\n\r\n') && connection.received.includes('Upgrade: tcp')) {
        connection.send('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nearly');
      }
      if (connection.ended) {
        connection.send(`echo:${connection.received.split('\r\n\r\n').at(-1)}`);
        connection.end();
      }
    });
    const stream = await clientOf(server.url).containers.attach('c', {
      stdin: true,
      stdout: true,
      stderr: false,
      stream: true,
    });
    await stream.write(new TextEncoder().encode('input'));
    await stream.closeWrite();
    let text = '';
    for (let chunk = await stream.read(); chunk; chunk = await stream.read())
      text += Buffer.from(chunk).toString();
    stream.close();
    expect(text).toBe('earlyecho:input');
  });

  test('an aborted stream ends with canceled', async () => {
    using server = startRawServer(
      withPing((_line, connection) =>
        connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n'),
      ),
    );
    const abort = new AbortController();
    const events = await clientOf(server.url).system.events({ signal: abort.signal });
    await events.next();
    abort.abort();
    const error = await events.next().catch((thrown: unknown) => thrown);
    expect(hasCode(error, 'canceled')).toBe(true);
  });

  test('a signal that fires before the ping is answered ends the call, not the ping of others', async () => {
    const answers: (() => void)[] = [];
    const asked = Promise.withResolvers<void>();
    using server = startRawServer((connection) => {
      if (connection.received.includes('/containers/json')) connection.send(reply('200 OK', '[]'));
      else answers.push(() => connection.send(PING));
      asked.resolve();
    });
    const client = clientOf(server.url);
    const abort = new AbortController();
    const left = client.system.events({ signal: abort.signal }).catch((thrown: unknown) => thrown);
    const stayed = client.containers.list();
    await asked.promise;
    abort.abort();
    expect(hasCode(await left, 'canceled')).toBe(true);
    for (const answer of answers) answer();
    expect(await stayed).toEqual([]);
    client.close();
  });

  test('a signal that fires while the connection is made ends the call', async () => {
    // Accepts, but never shakes hands.
    using server = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data: () => abort.abort() } });
    const abort = new AbortController();
    const endpoint = parseEndpoint(`tcp://127.0.0.1:${server.port}`, { verify: false });
    const client = createEngineClient(endpoint, { apiVersion: '1.41' });
    const error = await client.system.events({ signal: abort.signal }).catch((thrown: unknown) => thrown);
    expect(hasCode(error, 'canceled')).toBe(true);
    await expect(client.system.events({ signal: abort.signal })).rejects.toThrow('request canceled');
  });

  test('a connection that ends inside a body is an error, never a short answer', async () => {
    using server = startRawServer(
      withPing((_line, connection) => {
        connection.send('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[');
        connection.end();
      }),
    );
    expect(clientOf(server.url).containers.list()).rejects.toThrow('closed unexpectedly');
  });

  test('a large body through a slow reader is complete', async () => {
    const chunk = new Uint8Array(1 << 20).fill(120);
    using server = startRawServer(
      withPing((_line, connection) => {
        connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${chunk.length * 16}\r\n\r\n`);
        for (let index = 0; index < 16; index += 1) connection.send(chunk);
        connection.end();
      }),
    );
    const body = await clientOf(server.url).containers.export('c');
    let bytes = 0;
    for await (const piece of body) {
      bytes += piece.length;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(bytes).toBe(chunk.length * 16);
  });

  test('an upload larger than the socket takes at once arrives whole', async () => {
    const size = 8 << 20;
    using server = startRawServer((connection) => {
      if (connection.received.length < 1000) connection.send(PING);
      else if (connection.received.endsWith('0\r\n\r\n')) connection.send(reply('200 OK', '{}'));
    });
    async function* archive() {
      yield new Uint8Array(size).fill(120);
    }
    const { body } = await clientOf(server.url).images.load(archive(), { quiet: true });
    await body.bytes();
    const received = server.connections.at(-1)?.received ?? '';
    expect(received.split('x').length - 1).toBeGreaterThanOrEqual(size);
    expect(received).toContain(`${size.toString(16)}\r\nxxx`);
  });

  test('a streamed upload is chunked and the answer is read meanwhile', async () => {
    using server = startRawServer((connection) => {
      if (connection.received.includes('_ping') && connection.received.indexOf('load') < 0)
        connection.send(PING);
      else if (connection.received.endsWith('0\r\n\r\n'))
        connection.send(reply('200 OK', '{"stream":"ok"}', 'Content-Type: application/json\r\n'));
    });
    async function* archive() {
      yield new TextEncoder().encode('abc');
      yield new TextEncoder().encode('de');
    }
    const { isJson, body } = await clientOf(server.url).images.load(archive(), { quiet: true });
    expect(isJson).toBe(true);
    expect(await Array.fromAsync(body.jsonValues())).toEqual([{ stream: 'ok' }]);
    expect(server.connections.at(-1)?.received).toContain('3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n');
  });
});
