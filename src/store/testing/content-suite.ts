import { describe, expect, test } from 'bun:test';
import { type Digest, digestOf } from '#oci';
import type { ContentStore } from '../types.ts';

export interface ContentStoreFixture extends AsyncDisposable {
  readonly store: ContentStore;
}

/** What every {@link ContentStore} must do. `create` gives an empty one. */
export function contentStoreSuite(name: string, create: () => Promise<ContentStoreFixture>): void {
  const missing = digestOf('never stored');
  const run = (title: string, body: (store: ContentStore) => Promise<void>): void =>
    test(title, async () => {
      await using fixture = await create();
      await body(fixture.store);
    });

  describe(`${name}: ContentStore contract`, () => {
    run('what is written can be read, stated, listed and deleted', async (store) => {
      const chunks = (async function* () {
        yield Buffer.from('one ');
        yield Buffer.alloc(2_000_000, 'two');
      })();
      const blob = await store.write(chunks);
      const expected = Buffer.concat([Buffer.from('one '), Buffer.alloc(2_000_000, 'two')]);
      expect(blob).toEqual({ digest: digestOf(expected), size: expected.length });
      expect(store.stat(blob.digest)).toEqual(blob);
      expect(store.list()).toEqual([blob]);
      const read: Uint8Array[] = [];
      for await (const chunk of store.read(blob.digest)) read.push(chunk);
      expect(Buffer.concat(read).equals(expected)).toBe(true);
      expect(await store.verify(blob.digest)).toBe(true);
      await store.delete(blob.digest);
      await store.delete(blob.digest);
      expect(store.list()).toEqual([]);
    });

    run('a missing blob is `not_found`', async (store) => {
      expect(store.stat(missing)).toBeUndefined();
      expect(() => store.path(missing)).toThrow(expect.objectContaining({ code: 'not_found' }));
      expect(() => store.read(missing)).toThrow(expect.objectContaining({ code: 'not_found' }));
      await rejects(store.readAll(missing), 'not_found');
      expect(await store.verify(missing)).toBe(false);
    });

    run('a wrong digest or size is `data_loss` and leaves nothing', async (store) => {
      await rejects(store.write('abc', { expectedDigest: missing }), 'data_loss');
      await rejects(store.write('abc', { expectedSize: 4 }), 'data_loss');
      expect(store.list()).toEqual([]);
    });

    run('`readAll` keeps its limit', async (store) => {
      const { digest } = await store.write('0123456789');
      await rejects(store.readAll(digest, { maxBytes: 9 }), 'invalid_argument');
      expect((await store.readAll(digest, { maxBytes: 10 })).length).toBe(10);
    });

    run('writing the same content twice is fine', async (store) => {
      const first = await store.write('same');
      expect(await store.write('same')).toEqual(first);
      expect(store.list()).toHaveLength(1);
    });

    run('an aborted signal stops a write', async (store) => {
      const signal = AbortSignal.abort();
      await expect(store.write('abc', { signal })).rejects.toThrow();
      expect(store.list()).toEqual([]);
    });

    run('a failing source leaves nothing', async (store) => {
      const source = (async function* () {
        yield Buffer.from('abc');
        throw new Error('connection lost');
      })();
      await expect(store.write(source)).rejects.toThrow('connection lost');
      expect(store.list()).toEqual([]);
    });

    run('an ingest that is disposed is resumed, one that is aborted is not', async (store) => {
      {
        await using ingest = await store.openIngest('ref/with: odd characters');
        expect(ingest.offset).toBe(0);
        await ingest.write(Buffer.from('first '));
      }
      const resumed = await store.openIngest('ref/with: odd characters');
      expect(resumed.offset).toBe(6);
      await resumed.write(Buffer.from('second'));
      expect((await resumed.commit({ size: 12 })).digest).toBe(digestOf('first second'));
      const third = await store.openIngest('ref/with: odd characters');
      expect(third.offset).toBe(0);
      await third.write(Buffer.from('x'));
      await third.abort();
      await using fourth = await store.openIngest('ref/with: odd characters');
      expect(fourth.offset).toBe(0);
    });

    run('one ref has one writer at a time', async (store) => {
      await using _held = await store.openIngest('r');
      await rejects(store.openIngest('r'), 'conflict');
    });

    run('a mismatch at commit drops the ingest', async (store) => {
      const ingest = await store.openIngest('r');
      await ingest.write(Buffer.from('abc'));
      await rejects(ingest.commit({ digest: missing as Digest }), 'data_loss');
      await using next = await store.openIngest('r');
      expect(next.offset).toBe(0);
    });

    run('chunks may be reused once `write` has returned', async (store) => {
      const ingest = await store.openIngest('r');
      const chunk = Buffer.from('aaa');
      await ingest.write(chunk);
      chunk.fill('b');
      await ingest.write(chunk);
      const { digest } = await ingest.commit();
      expect(Buffer.from(await store.readAll(digest)).toString()).toBe('aaabbb');
    });
  });
}

async function rejects(promise: Promise<unknown>, code: string): Promise<void> {
  await expect(promise).rejects.toMatchObject({ code });
}
