import { expect, test } from 'bun:test';
import { SourceGate } from './source-gate.ts';

/** `/slow/...` may wait. */
const files = { mayWait: (path: string) => path.startsWith('/slow/') };

function gate(options: { deadlineMs?: number } = {}) {
  const asked: string[] = [];
  const waiting = new Map<string, PromiseWithResolvers<void>>();
  const look = (path: string) => {
    asked.push(path);
    const wait = Promise.withResolvers<void>();
    waiting.set(path, wait);
    return wait.promise;
  };
  return { sources: new SourceGate({ files, look, ...options }), asked, waiting };
}

test('what is on a disk of this machine passes at once', async () => {
  const { sources, asked } = gate();
  await sources.pass([]);
  await sources.pass(['/here', '/there']);
  expect(asked).toEqual([]);
});

test('what may wait is looked at elsewhere, once for all who ask meanwhile, and again for later ones', async () => {
  const { sources, asked, waiting } = gate();
  const all = Promise.all([sources.pass(['/here', '/slow/a', '/slow/b']), sources.pass(['/slow/a'])]);
  expect(asked).toEqual(['/slow/a', '/slow/b']);
  for (const { resolve } of waiting.values()) resolve();
  await all;
  const later = sources.pass(['/slow/a']);
  waiting.get('/slow/a')?.resolve();
  await later;
  expect(asked).toEqual(['/slow/a', '/slow/b', '/slow/a']);
});

test('silence is an error after the deadline; so many silent ones are not asked any more', async () => {
  const { sources, asked, waiting } = gate({ deadlineMs: 1 });
  for (let number = 0; number < 16; number += 1)
    await expect(sources.pass([`/slow/${number}`])).rejects.toThrow(
      `error while mounting '/slow/${number}': its file system does not answer`,
    );
  await expect(sources.pass(['/slow/16'])).rejects.toThrow('does not answer');
  expect(asked).toHaveLength(16);
  waiting.get('/slow/0')?.resolve();
  await Promise.resolve();
  await expect(sources.pass(['/slow/17'])).rejects.toThrow('does not answer');
  expect(asked.at(-1)).toBe('/slow/17');
});

test('nobody waits longer than they want to', async () => {
  const { sources } = gate();
  const controller = new AbortController();
  const waiting = sources.pass(['/slow/a'], controller.signal);
  controller.abort(new Error('given up'));
  await expect(waiting).rejects.toThrow('given up');
  await expect(sources.pass(['/slow/a'], controller.signal)).rejects.toThrow('given up');
  await sources.pass(['/here'], controller.signal);
});

test('a Worker looks, also at what is not there', async () => {
  const sources = new SourceGate({ files: { mayWait: () => true } });
  await sources.pass([import.meta.dir, '/no/such/file']);
  await sources.pass(['/another']);
});
