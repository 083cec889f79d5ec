import { Database } from 'bun:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '#base';
import type { Collection, MetadataStore } from '../types.ts';
import { openMetadataStore } from './metadata-store.ts';

interface Doc {
  readonly name: string;
}
const decode = (stored: unknown): Doc => {
  if (typeof (stored as Doc).name !== 'string') throw new Error('name is missing');
  return stored as Doc;
};

let dir = '';
let path = '';
const opened: MetadataStore[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gantry-db-'));
  path = join(dir, 'state/metadata.db');
});
afterEach(() => {
  for (const store of opened.splice(0)) store[Symbol.dispose]();
  rmSync(dir, { recursive: true, force: true });
});

function open(): { store: MetadataStore; docs: Collection<Doc> } {
  const store = openMetadataStore({ path, logger: silentLogger });
  opened.push(store);
  return { store, docs: store.collection('docs', decode) };
}
function close(): void {
  opened.pop()?.[Symbol.dispose]();
}
/** Documents in the database file alone: its log would heal what is damaged there. */
function fill(count: number): void {
  const { store, docs } = open();
  store.transaction(() => {
    for (let index = 0; index < count; index += 1)
      docs.put(`k${String(index).padStart(5, '0')}`, { name: `n${index}`.repeat(100) });
  });
  close();
  for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, { force: true });
}

/** Source: sqlite.org/walformat.html. */
const LOG_HEADER_BYTES = 32;
const FRAME_BYTES = 24 + 4096;

/** What is found with the database file and this much of its log on the disk; the rest reads as zeros. */
function keysAfterPowerCut(log: Uint8Array): string[] {
  const copy = join(dir, 'after-power-cut.db');
  rmSync(`${copy}-shm`, { force: true });
  copyFileSync(path, copy);
  writeFileSync(`${copy}-wal`, Buffer.concat([log, Buffer.alloc(4096)]));
  using database = new Database(copy);
  return database
    .query<{ key: string }, []>('SELECT key FROM collection_docs ORDER BY key')
    .all()
    .map(({ key }) => key);
}

describe('openMetadataStore', () => {
  test('documents come back after a restart, in key order', () => {
    const { docs } = open();
    docs.put('b', { name: 'two' });
    docs.put('a', { name: 'one' });
    docs.put('b', { name: 'three' });
    close();
    const again = open();
    expect(again.docs.entries()).toEqual([
      ['a', { name: 'one' }],
      ['b', { name: 'three' }],
    ]);
    expect(again.docs.get('missing')).toBeUndefined();
    expect(again.docs.delete('a')).toBe(true);
    expect(again.docs.delete('a')).toBe(false);
    expect(again.store.isRebuilt).toBe(false);
  });

  test('only the owner reads its files, also those of an earlier version', () => {
    open().docs.put('k', { name: 'v' });
    const modes = () => ['', '-wal', '-shm'].map((suffix) => statSync(path + suffix).mode & 0o777);
    expect(modes()).toEqual([0o600, 0o600, 0o600]);
    close();
    chmodSync(path, 0o644);
    open().docs.put('k', { name: 'w' });
    expect(modes()).toEqual([0o600, 0o600, 0o600]);
  });

  test('a write survives the process that never closed the file', () => {
    open().docs.put('k', { name: 'v' });
    expect(open().docs.get('k')).toEqual({ name: 'v' });
  });

  test('an ordered write survives the process as well', () => {
    open().docs.put('k', { name: 'v' }, { durability: 'ordered' });
    expect(open().docs.get('k')).toEqual({ name: 'v' });
    expect(open().docs.delete('k', { durability: 'ordered' })).toBe(true);
    expect(open().docs.get('k')).toBeUndefined();
  });

  test('a log of ordered writes that a power cut has cut anywhere holds the state of one moment', () => {
    open();
    // The tables go to the database file; from here on the log has the writes alone.
    close();
    const { docs } = open();
    const keys = () => docs.entries().map(([key]) => key);
    const moments = [keys().join()];
    for (let step = 0; step < 8; step += 1) {
      docs.put(`k${step}`, { name: `n${step}` }, { durability: step % 3 === 0 ? 'synced' : 'ordered' });
      moments.push(keys().join());
      docs.delete(`k${step - 2}`, { durability: 'ordered' });
      moments.push(keys().join());
    }
    const log = readFileSync(`${path}-wal`);
    const found = new Set<string>();
    for (let frames = 0; frames < 50; frames += 1)
      found.add(keysAfterPowerCut(log.subarray(0, LOG_HEADER_BYTES + frames * FRAME_BYTES)).join());
    expect([...found]).toEqual([...new Set(moments)]);
  });

  test('`transaction`: all writes or none', () => {
    const { store, docs } = open();
    expect(() =>
      store.transaction(() => {
        docs.put('k', { name: 'v' });
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(docs.get('k')).toBeUndefined();
    expect(() => store.transaction(async () => docs.put('k', { name: 'v' }))).toThrow('promise');
    expect(docs.get('k')).toBeUndefined();
  });

  test('documents that cannot be decoded go to quarantine, the others stay', () => {
    const { store, docs } = open();
    const raw = store.collection<unknown>('docs', (stored) => stored);
    raw.put('bad', { other: 1 });
    docs.put('good', { name: 'v' });
    expect(docs.entries()).toEqual([['good', { name: 'v' }]]);
    expect(store.quarantined).toEqual([{ collection: 'docs', key: 'bad', reason: 'name is missing' }]);
    expect(raw.get('bad')).toBeUndefined();
    using database = new Database(path);
    expect(database.query('SELECT key, value FROM quarantine').all()).toEqual([
      { key: 'bad', value: '{"other":1}' },
    ]);
  });

  test('what cannot be put aside (a full disk) stays where it is, and the others are read', () => {
    const { store, docs } = open();
    store.collection<unknown>('docs', (stored) => stored).put('bad', { other: 1 });
    docs.put('good', { name: 'v' });
    using database = new Database(path);
    database.run(`CREATE TRIGGER full BEFORE INSERT ON quarantine BEGIN SELECT RAISE(ABORT, 'full'); END`);
    for (let time = 0; time < 2; time += 1) expect(docs.entries()).toEqual([['good', { name: 'v' }]]);
    expect(store.quarantined).toEqual([{ collection: 'docs', key: 'bad', reason: 'name is missing' }]);
    database.run('DROP TRIGGER full');
    docs.entries();
    expect(database.query('SELECT key FROM quarantine').all()).toEqual([{ key: 'bad' }]);
  });

  test('a flipped bit within a document is noticed', () => {
    const { store, docs } = open();
    docs.put('k', { name: 'vvvv' });
    using database = new Database(path);
    database.run(`UPDATE collection_docs SET value = '{"name":"vvvw"}'`);
    expect(docs.get('k')).toBeUndefined();
    expect(store.quarantined[0]?.reason).toContain('checksum');
  });

  for (const [name, damage] of [
    ['empty', () => truncateSync(path, 0)],
    ['not a database', () => writeFileSync(path, Buffer.alloc(9000, 'x'))],
    ['cut in half', () => truncateSync(path, Math.floor(readFileSync(path).length / 8192) * 4096)],
    ['a few bytes long', () => truncateSync(path, 50)],
  ] as const)
    test(`a file that is ${name} is set aside and never stops the opening`, () => {
      fill(200);
      damage();
      const { store, docs } = open();
      expect(store.isRebuilt).toBe(true);
      docs.put('new', { name: 'works' });
      expect(docs.get('new')).toEqual({ name: 'works' });
      expect(
        readdirSync(join(dir, 'state')).some((file) => /^metadata\.db\.corrupt-[\dTZ-]+$/.test(file)),
      ).toBe(true);
    });

  test('what can still be read of a garbled file is carried over', () => {
    fill(2000);
    const bytes = readFileSync(path);
    bytes.fill(0xaa, 4096 * 40, 4096 * 42);
    writeFileSync(path, bytes);
    const { store, docs } = open();
    expect(store.isRebuilt).toBe(true);
    const saved = docs.entries();
    expect(saved.length).toBeGreaterThan(1500);
    for (const [key, { name }] of saved) expect(name).toBe(`n${Number(key.slice(1))}`.repeat(100));
  });

  test('garbling any single page never stops the opening', () => {
    fill(300);
    const whole = readFileSync(path);
    for (let page = 0; page < whole.length / 4096; page += 3) {
      const bytes = Buffer.from(whole);
      bytes.fill(0x55, page * 4096, page * 4096 + 2048);
      writeFileSync(path, bytes);
      const { docs } = open();
      docs.entries();
      close();
    }
  });

  test('a file of a newer version is refused, not set aside', () => {
    fill(1);
    {
      using database = new Database(path);
      database.run('PRAGMA user_version = 999');
    }
    expect(() => open()).toThrow('version 999');
    expect(readdirSync(join(dir, 'state')).filter((file) => file.includes('corrupt'))).toEqual([]);
  });
});
