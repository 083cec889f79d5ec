import { describe, expect, test } from 'bun:test';
import { connect, type Socket } from 'node:net';
import { givenHost } from '../../harness/daemon.ts';
import { eventually } from '../../harness/eventually.ts';
import { useEngine } from '../../harness/fixture.ts';
import { gantryClient as gantry } from '../../harness/programs.ts';
import { call, socketPath } from '../../reliability/api.ts';
import { describeLatency, footprintOf, printFigure } from '../../reliability/figures.ts';

const engine = useEngine();
const MB = 1024 * 1024;

/** Runs `attack` and returns by how many megabytes the daemon was larger at most meanwhile. */
async function growthDuring(attack: () => Promise<unknown>): Promise<number> {
  const pid = engine.daemon?.pid ?? 0;
  const before = footprintOf(pid).rssMb;
  let most = before;
  const watch = setInterval(() => (most = Math.max(most, footprintOf(pid).rssMb)), 10);
  try {
    await attack();
  } finally {
    clearInterval(watch);
  }
  expect((await call(engine.host, 'GET', '/_ping')).text).toBe('OK');
  return most - before;
}

const create = (body: string): Promise<{ status: number; text: string }> =>
  call(engine.host, 'POST', '/containers/create', {
    raw: body,
    headers: { 'Content-Type': 'application/json' },
  });

const nested = (open: string, close: string, depth: number): string =>
  `${open.repeat(depth)}1${close.repeat(depth)}`;

describe.skipIf(givenHost() !== undefined)('S22: bombs in requests', () => {
  test.each([
    ['arrays', nested('[', ']', 1_000_000)],
    ['objects', nested('{"a":', '}', 1_000_000)],
    ['arrays that are not closed', '['.repeat(15_000_000)],
    ['an object where a string is wanted', `{"Image":${nested('{"a":', '}', 500_000)}}`],
    ['within labels', `{"Image":"busybox","Labels":{"a":${nested('[', ']', 500_000)}}}`],
    ['within an unknown field', `{"Image":"no-such-image","Unknown":${nested('[', ']', 500_000)}}`],
  ])('deep JSON: %s', async (_what, body) => {
    const growth = await growthDuring(async () => {
      const answer = await create(body);
      expect([400, 404]).toContain(answer.status);
      // The message tells what is wrong; it does not give the bomb back.
      expect(answer.text.length).toBeLessThan(2000);
    });
    printFigure(
      'S22',
      `daemon growth under deep JSON of ${(body.length / MB).toFixed(1)} MB`,
      `${growth.toFixed(1)} MB`,
    );
    expect(growth).toBeLessThan(128);
  });

  test('a list of two million entries, a body beyond the limit, one that does not end', async () => {
    const long = `{"Image":"no-such-image","Env":[${'"A=b",'.repeat(2_000_000)}"A=b"]}`;
    const growth = await growthDuring(async () => {
      expect([400, 404]).toContain((await create(long)).status);
      const tooLong = await create(`{"Image":"${'x'.repeat(20 * MB)}"}`);
      expect([400, 413]).toContain(tooLong.status);
      const answer = await sendEndlessBody();
      expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
    });
    printFigure('S22', 'daemon growth under long bodies', `${growth.toFixed(1)} MB`);
    expect(growth).toBeLessThan(300);
  });

  test('a header that does not end, and headers without number', async () => {
    const growth = await growthDuring(async () => {
      const oneLong = await sendUntilClosed(
        'GET /_ping HTTP/1.1\r\nHost: x\r\nX-Long: ',
        'a'.repeat(64 * 1024),
      );
      const many = await sendUntilClosed('GET /_ping HTTP/1.1\r\nHost: x\r\n', 'X-Many: a\r\n'.repeat(5000));
      const path = await sendUntilClosed('GET /', 'a'.repeat(64 * 1024));
      const attach = await sendUntilClosed(
        'POST /containers/x/attach HTTP/1.1\r\nX-Long: ',
        'a'.repeat(64 * 1024),
      );
      for (const bytes of [oneLong, many, path, attach]) expect(bytes).toBeLessThan(16 * MB);
    });
    printFigure('S22', 'daemon growth under endless headers', `${growth.toFixed(1)} MB`);
    expect(growth).toBeLessThan(64);
  });

  test('400 clients that send slowly hold up nobody, and leave nothing', async () => {
    const pid = engine.daemon?.pid ?? 0;
    const before = footprintOf(pid);
    const sockets = await Promise.all(Array.from({ length: 400 }, () => open()));
    for (const socket of sockets.slice(0, 200)) socket.write('POST /containers/create HTTP/1.1\r\nHost');
    for (const socket of sockets.slice(200)) {
      socket.write('POST /v1.41/containers/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n');
      socket.write('Content-Length: 1000000\r\n\r\n{"Image":');
    }
    const pings: number[] = [];
    for (let turn = 0; turn < 200; turn += 1) {
      for (const socket of sockets.slice(turn % 20, (turn % 20) + 20)) socket.write(' ');
      const start = performance.now();
      expect((await call(engine.host, 'GET', '/_ping')).text).toBe('OK');
      pings.push(performance.now() - start);
    }
    expect(await engine.must(gantry, ['run', '--rm', 'busybox', 'echo', 'served'])).toBe('served');
    printFigure('S22', 'pings beside 400 slow clients', describeLatency(pings));
    for (const socket of sockets) socket.destroy();
    await eventually('the descriptors to go', () => footprintOf(pid).files <= before.files + 5);
    expect(footprintOf(pid).rssMb - before.rssMb).toBeLessThan(64);
  });

  test.each([
    ['no HTTP', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'],
    ['an unknown version', 'GET /_ping HTTP/9.9\r\n\r\n'],
    [
      'a length that is negative',
      'POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
    ],
    ['two lengths', 'POST /auth HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}'],
    [
      'length and chunks',
      'POST /auth HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}',
    ],
    [
      'a chunk without end',
      'POST /auth HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n',
    ],
  ])('%s ends that connection only', async (_what, bytes) => {
    const socket = await open();
    const answer = textOf(socket);
    socket.end(Buffer.from(bytes, 'latin1'));
    expect(await answer).not.toMatch(/^HTTP\/1\.1 (2|5)/);
    expect((await call(engine.host, 'GET', '/_ping')).text).toBe('OK');
  });
});

/** A connection to the engine; errors end it quietly, as the attacks want to see what follows. */
function open(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path: socketPath(engine.host), allowHalfOpen: true });
    socket.once('connect', () => {
      socket.off('error', reject);
      socket.on('error', () => {});
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

/** Everything the engine says until it closes the connection. */
function textOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString('latin1')));
    socket.on('end', () => socket.destroy());
    socket.on('close', () => resolve(text));
  });
}

/** Sends `start` and then `piece` again and again, at most 32 MB, until the engine has enough. Bytes sent. */
async function sendUntilClosed(start: string, piece: string): Promise<number> {
  const socket = await open();
  let closed = false;
  const gone = textOf(socket).then(() => (closed = true));
  socket.write(start);
  while (!closed && socket.bytesWritten < 32 * MB) {
    if (socket.write(piece)) await Bun.sleep(0);
    else await Promise.race([gone, new Promise((resolve) => socket.once('drain', resolve))]);
  }
  const sent = socket.bytesWritten;
  socket.destroy();
  return sent;
}

/** A JSON body in chunks that would go on for ever. What the engine answers. */
async function sendEndlessBody(): Promise<string> {
  const socket = await open();
  let closed = false;
  let answered = '';
  let wake = (): void => {};
  socket.on('data', (chunk) => {
    answered += chunk.toString('latin1');
    wake();
  });
  socket.on('close', () => {
    closed = true;
    wake();
  });
  socket.on('drain', () => wake());
  socket.write(
    'POST /v1.41/containers/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n' +
      'Transfer-Encoding: chunked\r\n\r\n',
  );
  const chunk = `${(64 * 1024).toString(16)}\r\n${' '.repeat(64 * 1024)}\r\n`;
  while (!closed && answered === '' && socket.bytesWritten < 128 * MB) {
    if (socket.write(chunk)) await Bun.sleep(0);
    else await new Promise<void>((resolve) => (wake = resolve));
  }
  socket.destroy();
  return answered;
}
