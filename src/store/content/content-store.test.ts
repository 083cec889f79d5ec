import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '#base';
import { type Digest, digestHex, digestOf } from '#oci';
import { contentStoreSuite } from '../testing/content-suite.ts';
import type { ContentStore } from '../types.ts';
import { openContentStore } from './content-store.ts';

let root = '';
let store: ContentStore;
const open = (): ContentStore => openContentStore({ root, logger: silentLogger });
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gantry-content-'));
  store = open();
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

contentStoreSuite('openContentStore', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'gantry-content-suite-'));
  return {
    store: openContentStore({ root: dir, logger: silentLogger }),
    [Symbol.asyncDispose]: async () => rmSync(dir, { recursive: true, force: true }),
  };
});

describe('openContentStore: on disk', () => {
  test('an ingest interrupted by a crash is resumed by the next process', async () => {
    const whole = Buffer.alloc(3_000_000, 'gantry');
    const first = await store.openIngest('layer');
    await first.write(whole.subarray(0, 2_500_000));
    // The process dies here: nothing is closed, the gathered rest is lost. A dead one has no write under way either.
    while (statSync(first.path).size < 2 * 1024 * 1024) await new Promise(setImmediate);
    const second = await open().openIngest('layer');
    expect(second.offset).toBeGreaterThan(0);
    expect(second.offset).toBeLessThanOrEqual(2_500_000);
    await second.write(whole.subarray(second.offset));
    const blob = await second.commit({ digest: digestOf(whole) });
    expect(readFileSync(store.path(blob.digest)).equals(whole)).toBe(true);
    await first[Symbol.asyncDispose]();
  });

  test('damage to a half-made ingest is caught at commit, and the next try starts from nothing', async () => {
    await using ingest = await store.openIngest('x');
    await ingest.write(Buffer.from('abc'));
    await ingest[Symbol.asyncDispose]();
    writeFileSync(ingest.path, 'axc');
    const resumed = await store.openIngest('x');
    await resumed.write(Buffer.from('def'));
    await expect(resumed.commit({ digest: digestOf('abcdef') })).rejects.toMatchObject({ code: 'data_loss' });
    await using next = await store.openIngest('x');
    expect(next.offset).toBe(0);
  });

  test('opening drops stale and anonymous ingests only', async () => {
    const names = ['anonymous-1', 'old', 'fresh'];
    for (const name of names) writeFileSync(join(root, 'ingest', name), 'x');
    utimesSync(join(root, 'ingest/old'), 1, 1);
    open();
    expect(readdirSync(join(root, 'ingest'))).toEqual(['fresh']);
  });

  test('a damaged blob is put aside when it is read, so that it can be fetched again', async () => {
    const { digest } = await store.write('manifest');
    writeFileSync(store.path(digest), 'manifesX');
    await expect(store.readAll(digest)).rejects.toMatchObject({ code: 'data_loss' });
    const again = await store.write('manifest', { expectedDigest: digest });
    expect(Buffer.from(await store.readAll(again.digest)).toString()).toBe('manifest');
    expect(readdirSync(join(root, 'quarantine'))).toEqual([digestHex(digest)]);
  });

  test('`verify` finds a cut blob', async () => {
    const { digest } = await store.write('layer');
    expect(await store.verify(digest)).toBe(true);
    appendFileSync(store.path(digest), 'more');
    expect(await store.verify(digest)).toBe(false);
    expect(store.stat(digest)).toBeUndefined();
  });

  test('committing again heals a blob that was damaged unnoticed', async () => {
    const { digest } = await store.write('text');
    writeFileSync(store.path(digest), 'tex_');
    await store.write('text');
    expect(await store.verify(digest)).toBe(true);
  });

  test('nobody else can read what is stored', async () => {
    const { digest } = await store.write('secret');
    for (const path of ['blobs/sha256', 'ingest', 'quarantine'])
      expect(statSync(join(root, path)).mode & 0o077).toBe(0);
    expect(statSync(store.path(digest)).mode & 0o077).toBe(0);
  });

  test('a digest that is not one never becomes a path', () => {
    expect(() => store.stat('sha256:../../etc/passwd' as Digest)).toThrow('invalid digest');
  });

  test('foreign files in the blob directory are not blobs', () => {
    writeFileSync(join(root, 'blobs/sha256/README'), 'x');
    expect(store.list()).toEqual([]);
  });
});
