import { expect, test } from 'bun:test';
import { connect, createServer as createListener, type Socket } from 'node:net';
import { type Logger, silentLogger } from '#base';
import type { ContainerBackend } from '../router/container/backend.ts';
import { createFakeBackends } from '../testing/index.ts';
import { createServer, type ServerOptions } from './server.ts';

interface Line {
  readonly level: string;
  readonly message: string;
}

/** The API on a port of its own, with what it logs. */
async function openServer(options: Partial<ServerOptions> = {}) {
  const lines: Line[] = [];
  const at = (level: string) => (message: string) => void lines.push({ level, message });
  const logger: Logger = {
    ...silentLogger,
    ...{ debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
  };
  const api = createServer({ backends: createFakeBackends(), logger, version: 'test', ...options });
  const listener = createListener({ allowHalfOpen: true }, (socket) => api.accept(socket));
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    lines,
    client: () => connect({ port, host: '127.0.0.1', allowHalfOpen: true }),
    async [Symbol.asyncDispose]() {
      listener.close();
      await api.close();
    },
  };
}

const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.on('error', () => {}).on('data', () => {});
    socket.on('end', () => socket.end()).once('close', () => resolve());
  });

/** What was logged once the engine has noticed that the client is gone, without debugging lines; and those lines' texts. */
async function loggedBy(lines: readonly Line[]) {
  while (lines.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const isDebug = ({ level }: Line) => level === 'debug';
  return {
    complaints: lines.filter((line) => !isDebug(line)),
    notes: lines.filter(isDebug).map(({ message }) => message),
  };
}

test('a client that ends in the middle of its body is no failure of the engine', async () => {
  await using server = await openServer();
  const client = server.client();
  const head = 'POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
  client.end(`${head}Content-Length: 100\r\n\r\n{"Image":`);
  await closed(client);
  const { complaints, notes } = await loggedBy(server.lines);
  expect(complaints).toEqual([]);
  expect(notes).toContain('request canceled');
});

test('a client that resets the connection in the middle of its body is no failure of the engine', async () => {
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const writeArchive: ContainerBackend['writeArchive'] = async (_name, _path, body) => {
    for await (const _ of body) begin();
  };
  await using server = await openServer({ backends: createFakeBackends({ containers: { writeArchive } }) });
  const client = server.client();
  client.write('PUT /containers/one/archive?path=/ HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf');
  // A reset before would leave nothing to read, and no request at all.
  await begun;
  client.resetAndDestroy();
  await closed(client);
  const { complaints, notes } = await loggedBy(server.lines);
  expect(complaints).toEqual([]);
  expect(notes).toContain('request canceled');
});

test.each(['', 'GET /_pi', 'GET /_ping HTTP/1.1\r\nHost: x\r\n'])(
  'a client that does not send its head is let go: %j',
  async (text) => {
    await using server = await openServer({ headTimeoutMs: 50 });
    const client = server.client();
    client.write(text);
    await closed(client);
  },
);

test('the time for a head is none for bodies, answers and what comes between requests', async () => {
  await using server = await openServer({ headTimeoutMs: 50 });
  const client = server.client();
  let all = '';
  client.on('data', (chunk) => (all += chunk.toString()));
  const ping = 'GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n';
  client.write(`${ping}GET /events HTTP/1.1\r\nHost: x\r\n\r\n`);
  await Bun.sleep(200);
  expect(all).toStartWith('HTTP/1.1 200 OK');
  expect([client.closed, client.readableEnded]).toEqual([false, false]);
  client.destroy();
});

const attachOf = (path: string) => `POST ${path}/attach?stdin=1 HTTP/1.1\r\nHost: x\r\n\r\n`;

test.each([
  [
    'input behind an attach that is refused is dropped',
    `${attachOf('/containers/nope')}typed\n`,
    /^HTTP\/1\.1 404 (?:(?!HTTP)[\s\S])*$/,
  ],
  [
    'a request behind one that is refused before it can take over is answered',
    `${attachOf('/v9.99/containers/one')}GET /_ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    /^HTTP\/1\.1 400 [\s\S]*HTTP\/1\.1 200 OK[\s\S]*OK$/,
  ],
])('%s, and nothing is cut short', async (_, text, answers) => {
  await using server = await openServer();
  const client = server.client();
  let all = '';
  client.on('data', (chunk) => (all += chunk.toString()));
  client.write(text);
  await closed(client);
  expect(all).toMatch(answers);
  expect(server.lines.filter(({ level }) => level !== 'debug')).toEqual([]);
});
