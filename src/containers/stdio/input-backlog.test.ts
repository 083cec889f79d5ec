import { expect, test } from 'bun:test';
import { settledWithin } from '../settled-within.ts';
import { InputBacklog, type InputTarget } from './input-backlog.ts';
import { pumpInput } from './pump.ts';
import { StdioSession } from './session.ts';

const HERE = new AbortController().signal;
const KIB = 1024;
const LIMIT = KIB * KIB;

/** A process that takes nothing until it is told to read. */
class Reader implements InputTarget {
  readonly taken: Uint8Array[] = [];
  readonly #gate = Promise.withResolvers<void>();
  closed = false;

  get text(): string {
    return Buffer.concat(this.taken).toString();
  }

  read(): void {
    this.#gate.resolve();
  }

  async write(chunk: Uint8Array): Promise<void> {
    await this.#gate.promise;
    this.taken.push(chunk);
  }

  async closeInput(): Promise<void> {
    this.closed = true;
  }
}

/** One client's input: these pieces, then its half close. */
async function* inputOf(...pieces: string[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield Buffer.from(piece);
}

async function fill(backlog: InputBacklog): Promise<void> {
  while (backlog.bytes < LIMIT) await backlog.push(Buffer.alloc(64 * KIB, 'a'), HERE);
}

/** Everything that can go on without a process reading has gone on. */
const settle = (): Promise<void> => Bun.sleep(0);

test('InputBacklog: everything arrives in order, in few pieces, and the close behind it', async () => {
  const reader = new Reader();
  const backlog = new InputBacklog(reader);
  const sent = Array.from({ length: 5000 }, (_, i) => `${i} `);
  for (const piece of sent) await backlog.push(Buffer.from(piece), HERE);
  backlog.end();
  await backlog.push(Buffer.from('too late'), HERE);
  await settle();
  expect(reader.closed).toBe(false);
  reader.read();
  await settle();
  expect(reader.text).toBe(sent.join(''));
  expect(reader.closed).toBe(true);
  expect(reader.taken.length).toBeLessThan(10);
  expect(backlog.bytes).toBe(0);
});

test('InputBacklog: without anything waiting the close comes at once', async () => {
  const reader = new Reader();
  new InputBacklog(reader).end();
  await settle();
  expect(reader.closed).toBe(true);
});

test('InputBacklog: a client waits when there is no room, and goes on when there is', async () => {
  const reader = new Reader();
  const backlog = new InputBacklog(reader);
  await fill(backlog);
  const pushed = backlog.push(Buffer.from('b'), HERE).then(() => 'taken');
  expect(await Promise.race([pushed, settle()])).toBeUndefined();
  expect(backlog.bytes).toBe(LIMIT);
  reader.read();
  expect(await pushed).toBe('taken');
  await settle();
  expect(reader.text).toEndWith('ab');
});

test('InputBacklog: what a client still has when it goes goes with it when there is no room', async () => {
  const reader = new Reader();
  const backlog = new InputBacklog(reader);
  await fill(backlog);
  const gone = new AbortController();
  const pushed = backlog.push(Buffer.from('b'), gone.signal);
  gone.abort();
  await pushed;
  await backlog.push(Buffer.from('c'), gone.signal);
  expect(backlog.bytes).toBe(LIMIT);
  reader.read();
  await settle();
  expect(reader.text).toBe('a'.repeat(LIMIT));
});

test.each([true, false])(
  'S17: clients that go leave nothing on a process that reads nothing (begun: %j)',
  async (begun) => {
    const session = new StdioSession();
    const never = new Promise<void>(() => {});
    const stream = {
      onOutput: () => {},
      ended: never,
      write: () => never,
      closeInput: () => {},
      close: () => {},
    };
    if (begun) await session.connect({ attach: async () => stream });
    const piece = 'x'.repeat(16 * KIB);
    // Twice of what may wait.
    const pumps = Array.from({ length: 128 }, async () => {
      const gone = new AbortController();
      const options = { detachKeys: undefined, closeInput: false, gone: gone.signal };
      const pumped = pumpInput(inputOf(piece), session, options);
      await settle();
      gone.abort();
      return await pumped;
    });
    // As long as one of them goes on, all that belongs to its client stays.
    expect(await settledWithin(Promise.all(pumps), 5000)).toBe(true);
  },
);

test('StdioSession: what a client sent before the run and before it went arrives', async () => {
  const session = new StdioSession();
  const options = { detachKeys: undefined, closeInput: true, gone: AbortSignal.abort() };
  await pumpInput(inputOf('ear', 'ly'), session, options);
  const reader = new Reader();
  const attach = async () => ({
    onOutput: () => {},
    ended: new Promise<void>(() => {}),
    write: (chunk: Uint8Array) => reader.write(chunk),
    closeInput: () => void reader.closeInput(),
    close: () => {},
  });
  await session.connect({ attach });
  reader.read();
  await settle();
  expect(reader.text).toBe('early');
  expect(reader.closed).toBe(true);
});
