import { afterEach, beforeEach, expect, test } from 'bun:test';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { destroyWhenVanished } from './vanished.ts';

const NEVER_MS = 1_000_000;
const SOON_MS = 5;

let folder: string;
let server: Server;
let client: Socket;
let accepted: Socket;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gantry-vanished-'));
  const path = join(folder, 's');
  server = createServer({ allowHalfOpen: true });
  await once(server.listen(path), 'listening');
  const connection = once(server, 'connection');
  client = connect({ path, allowHalfOpen: true });
  await once(client, 'connect');
  [accepted] = (await connection) as [Socket];
});

afterEach(() => {
  client.destroy();
  accepted.destroy();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

test('a client that closes is gone at once, without anything written', async () => {
  destroyWhenVanished(accepted, NEVER_MS);
  const closed = once(accepted, 'close');
  accepted.resume();
  client.destroy();
  await closed;
});

test('what it has sent is read first', async () => {
  destroyWhenVanished(accepted, NEVER_MS);
  let bytes = 0;
  accepted.on('data', (chunk: Buffer) => (bytes += chunk.length));
  const closed = once(accepted, 'close');
  client.write(Buffer.alloc(100_000), () => client.destroy());
  await closed;
  expect(bytes).toBe(100_000);
});

test('a client that has only ended its input stays, and is missed when it goes', async () => {
  destroyWhenVanished(accepted, SOON_MS);
  const ended = once(accepted, 'end');
  const closed = once(accepted, 'close');
  accepted.resume();
  client.end();
  await ended;
  await Bun.sleep(SOON_MS * 4);
  const answer = once(client, 'data');
  accepted.write('still here');
  expect(String((await answer)[0])).toBe('still here');
  client.destroy();
  await closed;
});

test('a client that goes while it is made to wait is missed', async () => {
  destroyWhenVanished(accepted, SOON_MS);
  const received = once(accepted, 'data');
  client.write(Buffer.alloc(1_000_000));
  await received;
  accepted.pause();
  const closed = once(accepted, 'close');
  client.destroy();
  await closed;
});
