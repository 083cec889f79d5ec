import { afterEach, expect, test } from 'bun:test';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { silentLogger } from '#base';
import { TlsGate, type TlsIdentity } from './tls.ts';

/** Handshakes themselves are tested with real certificates, from the outside. */
const noIdentity = {
  verifiesClients: true,
  wrap: () => {
    throw new Error('nobody was to get this far');
  },
} as unknown as TlsIdentity;

const accept = (): void => {
  throw new Error('nobody was to get in');
};

let server: Server | undefined;
afterEach(() => void server?.close());

async function openGate(limits: { handshakeMs?: number; maxHandshakes?: number }) {
  const gate = new TlsGate({ identity: noIdentity, logger: silentLogger, accept, ...limits });
  const listener = createServer({ allowHalfOpen: true }, (socket) => gate.admit(socket));
  server = listener;
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return { gate, visit: () => visit(connect(port, '127.0.0.1')) };
}

async function visit(socket: Socket): Promise<{ socket: Socket; closed: Promise<string> }> {
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString())).on('error', () => {});
  const closed = new Promise<string>((resolve) => socket.on('close', () => resolve(text)));
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  return { socket, closed };
}

test('who says nothing has to go', async () => {
  const { visit } = await openGate({ handshakeMs: 20 });
  expect(await (await visit()).closed).toBe('');
});

test('one too many ends the oldest, not the newest', async () => {
  const { gate, visit } = await openGate({ maxHandshakes: 2 });
  const [first, second, third] = [await visit(), await visit(), await visit()];
  expect(await first.closed).toBe('');
  expect([second.socket.closed, third.socket.closed]).toEqual([false, false]);
  gate.close();
  expect(await Promise.all([second.closed, third.closed])).toEqual(['', '']);
});

test('who ends before the handshake is let go at once', async () => {
  const { visit } = await openGate({});
  const { socket, closed } = await visit();
  socket.end();
  expect(await closed).toBe('');
});

test.each(['GET /_ping HTTP/1.1\r\n\r\n', 'POST /v1.40/build HTTP/1.1\r\n\r\n'])(
  'a plain request is told where it is: %j',
  async (request) => {
    const { visit } = await openGate({});
    const { socket, closed } = await visit();
    socket.write(request);
    const answer = await closed;
    expect(answer).toStartWith('HTTP/1.0 400 Bad Request\r\n');
    expect(answer).toEndWith('Client sent an HTTP request to an HTTPS server.\n');
  },
);
