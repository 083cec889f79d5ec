import { describe, expect, test } from 'bun:test';
import { conflict, createEventBus, GantryError, internal, notModified } from '#base';
import type { ClientStreams } from '#containers';
import { createFakeBackends, sampleContainer, serveFakes } from '../testing/index.ts';

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
const post = (path: string, body = '', headers = 'Content-Type: application/json\r\n') =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
const bodyOf = (answer: string) => answer.slice(answer.indexOf('\r\n\r\n') + 4);
const statusOf = (answer: string) => Number(answer.slice(9, 12));

describe('server', () => {
  test('_ping: headers that clients negotiate with', async () => {
    await using server = await serveFakes(createFakeBackends());
    const answer = await server.exchange(get('/_ping'));
    for (const header of [
      'HTTP/1.1 200 OK',
      'Api-Version: 1.56',
      'Docker-Experimental: false',
      'Ostype: linux',
      'Builder-Version: 1',
      'Cache-Control: no-cache, no-store, must-revalidate',
      'Pragma: no-cache',
      'Content-Length: 2',
      'Content-Type: text/plain; charset=utf-8',
    ]) {
      expect(answer).toContain(`${header}\r\n`);
    }
    expect(bodyOf(answer)).toBe('OK');
    const head = await server.exchange(get('/v1.24/_ping').replace('GET', 'HEAD'));
    expect(head).toContain('Content-Length: 0\r\n');
    expect(bodyOf(head)).toBe('');
  });

  test.each([
    ['GET', '/nope', 404, '{"message":"page not found","code":"not_found"}\n'],
    ['PUT', '/_ping', 404, '{"message":"page not found","code":"not_found"}\n'],
    ['GET', '/images/json/', 404, '{"message":"page not found","code":"not_found"}\n'],
    ['GET', '/vx/_ping', 404, '{"message":"page not found","code":"not_found"}\n'],
    ['GET', '/v1.41', 404, '{"message":"page not found","code":"not_found"}\n'],
    [
      'GET',
      '/v1.99/_ping',
      400,
      '{"message":"client version 1.99 is too new. Maximum supported API version is 1.56","code":"invalid_argument"}\n',
    ],
    [
      'GET',
      '/v1.12/_ping',
      400,
      'client version 1.12 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version\n',
    ],
    ['OPTIONS', '/images/json', 200, ''],
    ['GET', '/plugins', 200, '[]\n'],
    [
      'GET',
      '/images/a/json?platform=x',
      400,
      '{"message":"failed to parse platform: invalid character \'x\' looking for beginning of value","code":"invalid_argument"}\n',
    ],
    [
      'GET',
      '/images/a/json?platform=%7B%22os%22:%22linux%22%7D',
      400,
      '{"message":"both OS and Architecture must be provided","code":"invalid_argument"}\n',
    ],
    [
      'GET',
      '/images/a/json?platform=%7B%22variant%22:%22v8%22%7D',
      400,
      '{"message":"optional platform fields provided, but OS and Architecture are missing","code":"invalid_argument"}\n',
    ],
    ['GET', '/plugins/a/b/json', 404, '{"message":"plugin \\"a/b\\" not found","code":"not_found"}\n'],
    [
      'GET',
      '/plugins?filters=%7B%22x%22%3A%5B%22y%22%5D%7D',
      400,
      '{"message":"invalid filter \'x\'","code":"invalid_argument"}\n',
    ],
    [
      'GET',
      '/tasks/x/logs',
      400,
      '{"message":"must specify at least one of \'stdout\' or \'stderr\'","code":"invalid_argument"}\n',
    ],
    [
      'POST',
      '/swarm/init',
      501,
      '{"message":"swarm mode is not supported by this engine","code":"not_implemented"}\n',
    ],
    ['POST', '/swarm/leave', 503, '{"message":"This node is not part of a swarm","code":"unavailable"}\n'],
    ['GET', '/containers/zz/json', 404, '{"message":"No such container: zz","code":"not_found"}\n'],
    [
      'GET',
      '/containers/json?limit=x',
      400,
      '{"message":"strconv.Atoi: parsing \\"x\\": invalid syntax","code":"invalid_argument"}\n',
    ],
    ['GET', '/containers/json?filters=%7B', 400, '{"message":"invalid filter","code":"invalid_argument"}\n'],
    [
      'GET',
      '/containers/one/top?ps_args=a;b',
      400,
      '{"message":"invalid semicolon separator in query","code":"invalid_argument"}\n',
    ],
    [
      'POST',
      '/v1.24/containers/prune',
      400,
      '{"message":"POST /containers/prune requires minimum API version 1.25","code":"invalid_argument"}\n',
    ],
  ])('%s %s answers %d', async (method, path, status, body) => {
    await using server = await serveFakes(createFakeBackends());
    const answer = await server.exchange(get(path).replace('GET', method));
    expect(statusOf(answer)).toBe(status);
    expect(bodyOf(answer)).toBe(body);
  });

  test.each([
    ['', { all: ['true'] }],
    ['?filters={"label":{"a":true}}', { label: ['a'], all: ['true'] }],
    ['?filters={"all":["false"]}', { all: ['false', 'true'] }],
    ['?filters=5', undefined],
    ['?filters=xyz', undefined],
    ['?filters=[]', undefined],
  ])(
    'volumes/prune%s before 1.42: named volumes too, unless the filters are none',
    async (query, filters) => {
      const given: unknown[] = [];
      const prune = async (filter: unknown) => {
        given.push(filter);
        return { deleted: [], reclaimedBytes: 0 };
      };
      await using server = await serveFakes(createFakeBackends({ volumes: { prune } }));
      const head = `POST /v1.41/volumes/prune${encodeURI(query)} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`;
      const answer = await server.exchange(head, '}');
      expect(answer).toContain(filters ? 'HTTP/1.1 200 ' : '"message":"invalid filter"');
      expect(given).toEqual(filters ? [filters] : []);
    },
  );

  test.each([
    ['/v1.40/images/json?filter=busy*', ['busy*']],
    ['/v1.40/images/json?filter=a&filters={"reference":["b"]}', ['b', 'a']],
    ['/v1.40/images/json?filter=', undefined],
    ['/v1.41/images/json?filter=busy*', undefined],
  ])('images/json: `filter` is a reference before 1.41: %s', async (path, reference) => {
    const given: unknown[] = [];
    const list = (filters?: { readonly reference?: readonly string[] }) => {
      given.push(filters?.reference);
      return [];
    };
    await using server = await serveFakes(createFakeBackends({ images: { list } }));
    expect(statusOf(await server.exchange(get(path)))).toBe(200);
    expect(given).toEqual([reference]);
  });

  test('stats that end before the first sample are a failure, never something else', async () => {
    const samples = (async function* () {})();
    await using server = await serveFakes(
      createFakeBackends({ views: [sampleContainer('one')], containers: { stats: () => samples } }),
    );
    const answer = await server.exchange(get('/containers/one/stats?stream=0'));
    expect(statusOf(answer)).toBe(500);
    expect(Object.keys(JSON.parse(bodyOf(answer)))).toEqual(['message', 'code']);
  });

  test('304 and 204 have no body; 5xx keep the message, not the cause', async () => {
    await using server = await serveFakes(
      createFakeBackends({
        containers: {
          start: async () => {
            throw notModified('container is running');
          },
          stop: async () => {},
          kill: async () => {
            throw internal('stuck', { cause: new Error('secret') });
          },
          remove: async () => {
            throw conflict('in use');
          },
        },
      }),
    );
    const started = await server.exchange(post('/containers/one/start'));
    expect([statusOf(started), bodyOf(started)]).toEqual([304, '']);
    const stopped = await server.exchange(post('/containers/one/stop?t=1'));
    expect([statusOf(stopped), bodyOf(stopped)]).toEqual([204, '']);
    const killed = await server.exchange(post('/containers/one/kill'));
    expect([statusOf(killed), bodyOf(killed)]).toEqual([
      500,
      '{"message":"cannot kill container: one: stuck","code":"internal"}\n',
    ]);
  });

  test('start with a body is refused, `{}` is not', async () => {
    await using server = await serveFakes(createFakeBackends({ containers: { start: async () => {} } }));
    expect(statusOf(await server.exchange(post('/containers/one/start', '{}')))).toBe(204);
    expect(statusOf(await server.exchange(post('/containers/one/start', '{"Binds":[]}')))).toBe(400);
  });

  test.each([
    [
      '{"Image":1}',
      'application/json',
      'invalid JSON: json: cannot unmarshal number into Go struct field CreateRequest.Image of type string',
    ],
    ['', 'application/json', 'invalid JSON: got EOF while reading request body'],
    ['{}', 'application/json', 'config cannot be empty in order to create a container'],
    ['{}', 'text/plain', "unsupported Content-Type header (text/plain): must be 'application/json'"],
    ['{}', '', 'malformed Content-Type header (): mime: no media type'],
  ])('create with body %j as %j', async (body, type, message) => {
    await using server = await serveFakes(createFakeBackends());
    const headers = type === '' ? '' : `Content-Type: ${type}\r\n`;
    const answer = await server.exchange(post('/containers/create', body, headers));
    expect(statusOf(answer)).toBe(400);
    expect(JSON.parse(bodyOf(answer)).message).toBe(message);
  });

  test('bodies beyond the limit are refused before they are read', async () => {
    await using server = await serveFakes(createFakeBackends());
    const head = `POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n`;
    const answer = await server.exchange(`${head}{`, 'too large');
    expect(statusOf(answer)).toBe(400);
  });

  test.each([
    '\x16\x03\x01\x02garbage\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    'POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n',
    `GET /${'a'.repeat(200_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
    `POST /containers/one/attach HTTP/1.1\r\n${'a'.repeat(100_000)}`,
    'GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    'GET /containers/%ff/json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
  ])('garbage ends the connection with 4xx, the server goes on (%#)', async (request) => {
    await using server = await serveFakes(createFakeBackends());
    expect(await server.exchange(request)).toMatch(/^HTTP\/1\.1 4/);
    expect(await server.exchange(get('/_ping'))).toContain('OK');
  });

  test('logs: frames, content type by version, status before the first line', async () => {
    const { promise: line, resolve } = Promise.withResolvers<void>();
    await using server = await serveFakes(
      createFakeBackends({
        containers: {
          async *logs() {
            await line;
            yield [
              { stream: 'stderr', data: Buffer.from('x') },
              { stream: 'stderr', data: Buffer.from('yz') },
            ];
          },
        },
      }),
    );
    const client = await server.connect();
    client.send(get('/containers/one/logs?stdout=1&follow=1'));
    const head = await client.read('\r\n\r\n');
    expect(head).toContain('Content-Type: application/vnd.docker.multiplexed-stream');
    resolve();
    expect(await client.read()).toContain('\x02\0\0\0\0\0\0\x01x\x02\0\0\0\0\0\0\x02yz');
    const none = await server.exchange(get('/containers/one/logs'));
    expect(bodyOf(none)).toContain("must specify at least one of 'stdout' or 'stderr'");
    const missing = await server.exchange(get('/containers/zz/logs?stdout=1'));
    expect(statusOf(missing)).toBe(404);
  });

  test('wait: the status comes at once, before 1.30 with the exit code', async () => {
    const { promise, resolve } = Promise.withResolvers<{ exitCode: number }>();
    const conditions: string[] = [];
    await using server = await serveFakes(
      createFakeBackends({
        containers: {
          wait: (_, condition) => {
            conditions.push(condition);
            return { exit: promise };
          },
        },
      }),
    );
    const early = await server.connect();
    early.send(post('/containers/one/wait?condition=next-exit'));
    expect(await early.read('\r\n\r\n')).toStartWith('HTTP/1.1 200');
    const late = await server.connect();
    late.send(post('/v1.29/containers/one/wait?condition=next-exit'));
    await server.exchange(get('/_ping'));
    resolve({ exitCode: 3 });
    expect(await early.read()).toContain('{"StatusCode":3}\n');
    expect(await late.read()).toContain('{"StatusCode":3}\n');
    expect(conditions).toEqual(['next-exit', 'not-running']);
    const bad = await server.exchange(post('/containers/one/wait?condition=foo'));
    expect(bodyOf(bad)).toContain(String.raw`invalid condition: \"foo\"`);
  });

  test.each(['/swarm', '/nodes', '/services/x', '/tasks?all=1', '/secrets', '/configs'])(
    '%s: no swarm manager, in docker’s words',
    async (path) => {
      await using server = await serveFakes(createFakeBackends());
      const answer = await server.exchange(get(path));
      expect(statusOf(answer)).toBe(503);
      expect(JSON.parse(bodyOf(answer)).message).toBe(
        'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
      );
    },
  );

  test('inspect: a platform is read since 1.49', async () => {
    await using server = await serveFakes(createFakeBackends());
    const status = async (version: string) =>
      statusOf(await server.exchange(get(`/v${version}/images/one/json?platform=x`)));
    expect([await status('1.48'), await status('1.49')]).toEqual([
      statusOf(await server.exchange(get('/v1.48/images/one/json'))),
      400,
    ]);
  });

  test('load: failures are told in the stream; the rest of the body is read off', async () => {
    await using server = await serveFakes(
      createFakeBackends({
        images: {
          load: async (archive, options) => {
            for await (const _ of archive) break;
            options?.onProgress?.({ stream: 'reading\n' });
            throw new GantryError('invalid_argument', 'unexpected EOF');
          },
        },
      }),
    );
    const answer = await server.exchange(post('/images/load', 'x'.repeat(3_000_000), ''));
    expect(statusOf(answer)).toBe(200);
    expect(answer).toContain('{"stream":"reading\\n"}\r\n');
    expect(answer).toContain('{"errorDetail":{"message":"unexpected EOF"},"error":"unexpected EOF"}\r\n');
  });

  test('import and pull: a failure before the first message is a status', async () => {
    await using server = await serveFakes(
      createFakeBackends({
        images: {
          importRootfs: async () => {
            throw new GantryError('invalid_argument', 'invalid reference format');
          },
        },
      }),
    );
    const imported = await server.exchange(post('/images/create?fromSrc=-&repo=A', 'x', ''));
    expect([statusOf(imported), JSON.parse(bodyOf(imported)).message]).toEqual([
      400,
      'invalid reference format',
    ]);
    const pulled = await server.exchange(post('/images/create?fromImage=busybox', '', ''));
    expect(statusOf(pulled)).toBe(501);
  });

  test('events: past ones, live ones, filters, exact nanoseconds, end with the client', async () => {
    const bus = createEventBus({ nowNs: () => 1_767_000_000_123_456_789n });
    const publish = (action: string) =>
      bus.publish({
        type: 'container',
        action,
        actorId: 'id1',
        attributes: { image: 'busybox', name: 'one' },
      });
    publish('create');
    await using server = await serveFakes(createFakeBackends({ system: { events: bus } }));
    const client = await server.connect();
    client.send(get('/v1.41/events?since=1&filters={"event":["create","start"]}'));
    await client.read('create');
    publish('die');
    publish('start');
    const all = await client.read('start');
    expect(all).toContain(
      '{"status":"create","id":"id1","from":"busybox","Type":"container","Action":"create","Actor":{"ID":"id1","Attributes":{"image":"busybox","name":"one"}},"scope":"local","time":1767000000,"timeNano":1767000000123456789}\n',
    );
    expect(all).not.toContain('die');
    expect(bus.listenerCount).toBe(1);
    client.close();
    while (bus.listenerCount > 0) await new Promise((resolve) => setImmediate(resolve));
    const past = await server.exchange(get('/events?until=1767000001'));
    expect(past).toContain('application/jsonl');
    expect(past).not.toContain('"status"');
  });

  test('close: hijacked connections end too', async () => {
    const server = await serveFakes(
      createFakeBackends({
        views: [sampleContainer('one')],
        containers: {
          attach: () => ({
            tty: false,
            openStdin: false,
            run: (streams: ClientStreams) =>
              new Promise((resolve) => streams.signal.addEventListener('abort', () => resolve())),
          }),
        },
      }),
    );
    const client = await server.connect();
    client.send('POST /containers/one/attach?stream=1&stdout=1 HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.read('\r\n\r\n');
    expect(server.api.connectionCount).toBe(1);
    await server[Symbol.asyncDispose]();
    await client.read();
    expect(server.api.connectionCount).toBe(0);
  });

  test('close: a running request may end within the grace', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { promise: entered, resolve: enter } = Promise.withResolvers<void>();
    await using server = await serveFakes(
      createFakeBackends({
        containers: {
          stop: () => {
            enter();
            return promise;
          },
        },
      }),
    );
    const idle = await server.connect();
    const client = await server.connect();
    client.send(post('/containers/one/stop'));
    await entered;
    const closed = server.api.close({ graceMs: 5000 });
    await idle.read();
    resolve();
    expect(statusOf(await client.read())).toBe(204);
    await closed;
    expect(server.api.connectionCount).toBe(0);
  });

  test('an answer that cannot be written ends its connection, not the server', async () => {
    await using server = await serveFakes(
      createFakeBackends({
        volumes: { get: () => ({ name: 1n, created: '', labels: {}, options: {} }) as never },
      }),
    );
    expect(await server.exchange(get('/volumes/x'))).toBe('');
    expect(await server.exchange(get('/_ping'))).toContain('OK');
  });
});
