import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OutputChunk } from '../types.ts';
import { ClientQueue } from './client-queue.ts';
import { detachKeysOf } from './detach-keys.ts';

let spillDirectory: string;
beforeEach(() => {
  spillDirectory = mkdtempSync(join(tmpdir(), 'gantry-stdio-'));
});
afterEach(() => rmSync(spillDirectory, { recursive: true, force: true }));

const chunk = (stream: OutputChunk['stream'], data: string | Uint8Array): OutputChunk => ({
  stream,
  data: Buffer.from(data),
});

test('ClientQueue: a client that takes everything at once gets everything at once', () => {
  const seen: OutputChunk[] = [];
  const queue = new ClientQueue({ spillDirectory, write: (piece) => void seen.push(piece) });
  queue.push(chunk('stdout', 'a'));
  queue.push(chunk('stderr', 'b'));
  expect(seen.map(({ stream, data }) => `${stream}:${data}`)).toEqual(['stdout:a', 'stderr:b']);
});

test('ClientQueue: a slow client gets all bytes in order, over memory and disk', async () => {
  const seen: Uint8Array[] = [];
  const gate = Promise.withResolvers<void>();
  const write = async ({ data }: OutputChunk) => {
    seen.push(data);
    await gate.promise;
  };
  const queue = new ClientQueue({ spillDirectory, write, memoryBytes: 1000 });
  const sent = Array.from({ length: 500 }, (_, i) => Buffer.alloc(i % 97, i % 251));
  for (const data of sent) queue.push(chunk('stdout', data));
  queue.end();
  expect(seen.length).toBe(1);
  gate.resolve();
  await queue.done;
  expect(Buffer.concat(seen)).toEqual(Buffer.concat(sent));
  expect(readdirSync(spillDirectory)).toEqual([]);
});

test('ClientQueue: after catching up it uses memory again and then the disk again', async () => {
  const seen: Uint8Array[] = [];
  let gate = Promise.withResolvers<void>();
  const queue = new ClientQueue({
    spillDirectory,
    memoryBytes: 4,
    write: async ({ data }) => {
      seen.push(data);
      await gate.promise;
    },
  });
  for (const round of ['abcdef', 'ghijkl']) {
    for (const letter of round) queue.push(chunk('stdout', letter));
    gate.resolve();
    await Bun.sleep(0);
    while (seen.length % 6 !== 0) await Bun.sleep(0);
    gate = Promise.withResolvers();
  }
  expect(Buffer.concat(seen).toString()).toBe('abcdefghijkl');
  queue.close();
  await queue.done;
});

test('ClientQueue: a broken client ends its queue, quietly', async () => {
  const queue = new ClientQueue({ spillDirectory, write: () => Promise.reject(new Error('EPIPE')) });
  queue.push(chunk('stdout', 'a'));
  await queue.done;
  queue.push(chunk('stdout', 'b'));
});

test('ClientQueue: gives a client up that lets more than the limit pile up', async () => {
  const never = new Promise<void>(() => {});
  const queue = new ClientQueue({ spillDirectory, write: () => never, memoryBytes: 0, spillBytes: 100 });
  for (let i = 0; i < 20; i += 1) queue.push(chunk('stdout', '0123456789'));
  await queue.done;
});

test('detachKeysOf: the text of a refusal', () => {
  expect([...detachKeysOf('')]).toEqual([16, 17]);
  for (const bad of ['ctrl-', 'ab', 'a,,b']) {
    expect(() => detachKeysOf(bad)).toThrow(`Invalid detach keys (${bad}) provided`);
  }
});
