import { expect, test } from 'bun:test';
import type { AttachStream } from '#runtime';
import { StdioSession } from './session.ts';

const stream: AttachStream = {
  onOutput: () => {},
  ended: new Promise(() => {}),
  write: async () => {},
  closeInput: () => {},
  close: () => {},
};

test('a connection that failed is tried again for the next client, one that stands is shared', async () => {
  const session = new StdioSession();
  const answers = [Promise.reject(new Error('EMFILE')), Promise.resolve(stream)];
  let attempts = 0;
  const task = { attach: () => answers[attempts++] ?? Promise.reject(new Error('asked too often')) };
  // Those who come together share the failure.
  const together = await Promise.allSettled([session.connect(task), session.connect(task)]);
  expect(together.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await session.connect(task);
  await session.connect(task);
  expect(attempts).toBe(2);
  session.end();
});
