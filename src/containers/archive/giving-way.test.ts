import { expect, test } from 'bun:test';
import { givingWay } from './giving-way.ts';

const LIMITS = { idleMs: 5, checkMs: 1 };

/** One chunk, then silence. */
async function* stalled(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('first');
  await new Promise(() => {});
}

async function* slow(): AsyncGenerator<Uint8Array> {
  for (const text of ['a', 'b']) {
    await Bun.sleep(20);
    yield Buffer.from(text);
  }
}

async function textOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const chunk of chunks) text += Buffer.from(chunk).toString();
  return text;
}

const patient = { signal: new AbortController().signal, isWanted: () => false, ...LIMITS };

test('a client may be as slow as it likes while nobody waits', async () => {
  expect(await textOf(givingWay(slow(), patient))).toBe('ab');
});

test('one that has become silent gives way to who waits', async () => {
  await expect(textOf(givingWay(stalled(), { ...patient, isWanted: () => true }))).rejects.toMatchObject({
    code: 'deadline_exceeded',
  });
});

test('an abort ends it at once, also one that came before', async () => {
  const abort = new AbortController();
  const reading = textOf(givingWay(stalled(), { ...patient, signal: abort.signal }));
  abort.abort(new Error('removed'));
  await expect(reading).rejects.toThrow('removed');
  await expect(textOf(givingWay(slow(), { ...patient, signal: abort.signal }))).rejects.toThrow('removed');
});

test('an error of the client is told', async () => {
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('x');
    throw new Error('gone');
  }
  await expect(textOf(givingWay(broken(), patient))).rejects.toThrow('gone');
});
