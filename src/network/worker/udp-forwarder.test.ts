import { afterEach, expect, mock, spyOn, test } from 'bun:test';
import { listenUdp } from './udp-forwarder.ts';

afterEach(() => {
  mock.restore();
});

/** A socket on a free port of the loopback, which is closed at the end. */
async function openSocket(data: (text: string, port: number) => void = () => {}) {
  const socket = await Bun.udpSocket({
    hostname: '127.0.0.1',
    socket: { data: (_socket, bytes, port) => data(bytes.toString(), port) },
  });
  return {
    port: socket.port,
    send: (text: string, port: number) => void socket.send(text, port, '127.0.0.1'),
    [Symbol.dispose]: () => socket.close(),
  };
}

async function freePort(): Promise<number> {
  using socket = await openSocket();
  return socket.port;
}

/** While `isShort` sockets of single clients fail to open, once `fail` was called. */
function shortOfDescriptors() {
  const asked = Promise.withResolvers<void>();
  const failing = Promise.withResolvers<void>();
  const open = Bun.udpSocket;
  const state = { isShort: true, asked: asked.promise, fail: () => failing.resolve() };
  const udpSocket = async (options: Parameters<typeof open>[0]) => {
    if (!('connect' in options) || !state.isShort) return await open(options);
    asked.resolve();
    await failing.promise;
    throw Object.assign(new Error('too many open files'), { code: 'EMFILE' });
  };
  spyOn(Bun, 'udpSocket').mockImplementation(udpSocket as unknown as typeof open);
  return state;
}

const forwardTo = async (targetPort: number, idleMs?: number) => {
  const port = await freePort();
  const forwarder = await listenUdp(
    '127.0.0.1',
    { protocol: 'udp', hostIp: '127.0.0.1', port, targetIp: '127.0.0.1', targetPort },
    idleMs,
  );
  return { port, close: () => forwarder.close(), [Symbol.dispose]: () => forwarder.close() };
};

// An unhandled rejection, which ends the Worker, fails these tests.
test('closing while the socket of a client fails to open harms nobody', async () => {
  const short = shortOfDescriptors();
  const forwarder = await forwardTo(9);
  using client = await openSocket();
  client.send('x', forwarder.port);
  await short.asked;
  forwarder.close();
  short.fail();
  await Bun.sleep(1);
});

test('sweeping while the socket of a client fails to open harms nobody', async () => {
  const short = shortOfDescriptors();
  using forwarder = await forwardTo(9, 3);
  using client = await openSocket();
  client.send('x', forwarder.port);
  await short.asked;
  // Some sweeps come by meanwhile.
  await Bun.sleep(20);
  short.fail();
  await Bun.sleep(1);
});

test('a client whose socket could not be opened is served as soon as there are descriptors', async () => {
  const answered = Promise.withResolvers<string>();
  using server = await openSocket((text, port) => server.send(`${text}, too`, port));
  using client = await openSocket((text) => answered.resolve(text));
  const short = shortOfDescriptors();
  using forwarder = await forwardTo(server.port);
  short.fail();
  client.send('lost', forwarder.port);
  await short.asked;
  short.isShort = false;
  client.send('hello', forwarder.port);
  expect(await answered.promise).toBe('hello, too');
});
