import { afterEach, beforeEach, expect, test } from 'bun:test';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, silentLogger } from '#base';
import { digestOf } from '#oci';
import { createOverlaySnapshotter, openContentStore, openMetadataStore, tryTransaction } from '#store';
import { createMemoryMetadataStore, file, layerTar } from '#store/testing';
import { createSys } from '#sys';

const sys = createSys();
/** mount(2). */
const MS_REMOUNT = 32;
const TOO_MUCH = 'x'.repeat(6 * 1024 * 1024);
let dir = '';
let small = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gantry-test-full-'));
  small = join(dir, 'small');
  mkdirSync(small);
  sys.mounts.mount({ source: 'gantry-test', target: small, fstype: 'tmpfs', data: 'size=4m,nr_inodes=500' });
});
afterEach(() => {
  sys.mounts.unmount(small, { detach: true });
  rmSync(dir, { recursive: true, force: true });
});

/** Leaves no block free. */
function fillSmall(): void {
  try {
    for (let index = 0; index < 500; index += 1)
      writeFileSync(join(small, `filler${index}`), 'x'.repeat(4096 * 8));
  } catch {
    // Full, as wanted.
  }
  expect(statfsSync(small).bavail).toBeLessThan(8);
}

test('a blob that does not fit is `unavailable` and leaves nothing', async () => {
  const store = openContentStore({ root: join(small, 'content'), logger: silentLogger });
  await expect(store.write(TOO_MUCH)).rejects.toMatchObject({ code: 'unavailable' });
  expect(readdirSync(join(small, 'content/ingest'))).toEqual([]);
  expect((await store.write('fits')).size).toBe(4);
});

test('an ingest that hit the full disk can be resumed when there is room again', async () => {
  const store = openContentStore({ root: join(small, 'content'), logger: silentLogger });
  const filler = join(small, 'filler');
  writeFileSync(filler, TOO_MUCH.slice(0, 3 * 1024 * 1024));
  const whole = Buffer.alloc(2 * 1024 * 1024, 'gantry');
  const first = await store.openIngest('layer');
  const writing = (async () => {
    await first.write(whole);
    await first.commit();
  })();
  await expect(writing).rejects.toMatchObject({ code: 'unavailable' });
  rmSync(filler);
  const second = await store.openIngest('layer');
  await second.write(whole.subarray(second.offset));
  expect((await second.commit()).digest).toBe(digestOf(whole));
});

test('a layer that does not fit, in bytes or inodes, is `unavailable` and leaves nothing', async () => {
  const root = join(small, 'overlay2');
  const snapshotter = createOverlaySnapshotter({
    root,
    metadata: createMemoryMetadataStore(),
    sys,
    logger: silentLogger,
  });
  const many = Array.from({ length: 1000 }, (_, index) => file(`f${index}`));
  for (const members of [[file('big', TOO_MUCH)], many]) {
    const blobPath = join(dir, 'blob');
    writeFileSync(blobPath, await layerTar(members));
    const applying = snapshotter.applyLayer({ chainId: digestOf('x'), parent: undefined, blobPath });
    await expect(applying).rejects.toMatchObject({ code: 'unavailable' });
    await snapshotter.settle();
    for (const name of ['layers', 'staging', 'trash']) expect(readdirSync(join(root, name))).toEqual([]);
  }
});

test('metadata that does not fit is `unavailable`; what was there stays, and writing works again later', () => {
  using metadata = openMetadataStore({ path: join(small, 'metadata.db'), logger: silentLogger });
  const documents = metadata.collection('documents', (stored) => stored as string);
  documents.put('kept', 'value');
  expect(() => documents.put('large', TOO_MUCH)).toThrow(expect.objectContaining({ code: 'unavailable' }));
  expect(documents.entries()).toEqual([['kept', 'value']]);
  documents.put('small', 'fits');
  expect(documents.get('small')).toBe('fits');
});

test('on a disk that is full to the last byte, small documents can still be written and removed', () => {
  const path = join(small, 'metadata.db');
  const open = () => openMetadataStore({ path, logger: silentLogger });
  {
    using metadata = open();
    const documents = metadata.collection('documents', (stored) => stored as string);
    for (let index = 0; index < 100; index += 1) documents.put(`k${index}`, 'x'.repeat(2000));
    fillSmall();
    for (let round = 0; round < 20; round += 1)
      for (let index = 0; index < 50; index += 1) documents.put(`k${index}`, `${round}`.repeat(1500));
  }
  // The same after a restart, while the disk is as full as before.
  using metadata = open();
  const documents = metadata.collection('documents', (stored) => stored as string);
  for (let index = 0; index < 100; index += 1) expect(documents.delete(`k${index}`)).toBe(true);
  expect(documents.entries()).toEqual([]);
});

/** What a daemon that was killed leaves of its metadata on the small disk, which is full then. */
function leaveMetadata(path: string, rows: number): void {
  sys.mounts.mount({ target: small, flags: MS_REMOUNT, data: 'size=8m' });
  const source = join(dir, 'metadata.db');
  using metadata = openMetadataStore({ path: source, logger: silentLogger });
  const documents = metadata.collection('documents', (stored) => stored as string);
  for (let index = 0; index < rows; index += 1) documents.put(`k${index}`, 'x'.repeat(5500));
  // Before it is closed: a clean end writes the log into the file.
  for (const suffix of ['', '-wal', '-shm']) copyFileSync(source + suffix, path + suffix);
  fillSmall();
}

// With many documents the reserve is used up, and what the log has does not fit into the file.
test.each([100, 200, 250, 300, 350])('a killed daemon with %d rows starts on a full disk', (rows) => {
  const path = join(small, 'metadata.db');
  leaveMetadata(path, rows);
  using metadata = openMetadataStore({ path, logger: silentLogger });
  const documents = metadata.collection('documents', (stored) => stored as string);
  expect(documents.entries()).toHaveLength(rows);
  expect(documents.delete('k0')).toBe(true);
  for (const name of readdirSync(small)) if (name.startsWith('filler')) rmSync(join(small, name));
  documents.put('new', 'fits');
  expect(documents.entries()).toHaveLength(rows);
});

test('a damaged log that cannot be copied for want of space stops no start and leaves no half copy', () => {
  const path = join(small, 'metadata.db');
  leaveMetadata(path, 20);
  const log = readFileSync(`${path}-wal`);
  // Within the second page of the log, in place: there is no room for another file.
  log.fill('x', 32 + 4120 + 500, 32 + 4120 + 600);
  writeFileSync(`${path}-wal`, log, { flag: 'r+' });
  const lines: string[] = [];
  const logger = createLogger({ level: () => 'warn', write: (line) => void lines.push(line) });
  using metadata = openMetadataStore({ path, logger });
  const documents = metadata.collection('documents', (stored) => stored as string);
  expect(() => documents.entries()).not.toThrow();
  expect(lines.join('')).toContain("the metadata database's log is damaged");
  expect(lines.join('')).toContain('no space left');
  expect(readdirSync(small).filter((name) => name.includes('.corrupt-'))).toEqual([]);
});

test('documents that cannot be read nor put aside stop no start, and are found again', () => {
  const path = join(small, 'metadata.db');
  leaveMetadata(path, 300);
  const failures: unknown[] = [];
  const read = (decode: (stored: unknown) => string): number => {
    using metadata = openMetadataStore({ path, logger: silentLogger });
    const documents = metadata.collection('documents', decode);
    const entries = () => ({ count: documents.entries().length });
    return tryTransaction(metadata, entries, (error) => failures.push(error)).count;
  };
  const refuse = (): string => {
    throw new Error('cannot be read');
  };
  expect(read(refuse)).toBe(0);
  expect(failures).toHaveLength(1);
  expect(read((stored) => stored as string)).toBe(300);
});
