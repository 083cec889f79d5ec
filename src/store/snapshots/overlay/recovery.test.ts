import { afterEach, beforeEach, expect, test } from 'bun:test';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '#base';
import { createMemoryMetadataStore } from '../../testing/memory-metadata-store.ts';
import { Layout } from './layout.ts';
import { decodeLayer, decodeSnapshot, type SnapshotRecord } from './records.ts';
import { LAYER_COLLECTION, type RecoveryOptions, recover, SNAPSHOT_COLLECTION } from './recovery.ts';
import { Trash } from './trash.ts';

let root = '';
let layout: Layout;
let log: string[] = [];
let options: RecoveryOptions;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gantry-recovery-'));
  layout = new Layout(root);
  log = [];
  const metadata = createMemoryMetadataStore();
  const logger = createLogger({ write: (line) => void log.push(line) });
  const mounts = { list: () => [], unmount: () => {} };
  options = {
    layout,
    layers: metadata.collection(LAYER_COLLECTION, decodeLayer),
    snapshots: metadata.collection(SNAPSHOT_COLLECTION, decodeSnapshot),
    metadata,
    mounts,
    trash: new Trash(layout.trash, mounts, logger),
    logger,
    makeSnapshot: ({ key }: SnapshotRecord) => mkdirSync(layout.snapshot(key).dir),
  };
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const recordFile = () => join(layout.snapshot('c1').dir, 'record.json');

/** A container tree whose record is damaged. */
function damage(): void {
  options.snapshots.put('c1', { key: 'c1' });
  mkdirSync(layout.snapshot('c1').dir);
  writeFileSync(recordFile(), '{');
}

test('a damaged record is written again, the damaged one set aside', () => {
  damage();
  recover(options);
  expect(JSON.parse(readFileSync(recordFile(), 'utf8'))).toEqual({ key: 'c1' });
  expect(readdirSync(layout.snapshot('c1').dir)).toHaveLength(2);
});

test('a record that cannot be written again (full disk) is told of and left for the next start', () => {
  damage();
  symlinkSync('/dev/full', `${recordFile()}.new`);
  recover(options);
  expect(log.join('')).toContain('ENOSPC');
  expect(readFileSync(recordFile(), 'utf8')).toBe('{');
  rmSync(`${recordFile()}.new`);
  recover(options);
  expect(JSON.parse(readFileSync(recordFile(), 'utf8'))).toEqual({ key: 'c1' });
});

test('a tree that cannot be made anew (full disk) is told of and left for the next start', async () => {
  options.snapshots.put('c1', { key: 'c1' });
  const makeSnapshot = (record: SnapshotRecord): void => {
    options.makeSnapshot(record);
    throw new Error('ENOSPC: no space left on device');
  };
  recover({ ...options, makeSnapshot });
  expect(log.join('')).toContain('ENOSPC');
  // Half of a tree would count as a whole one.
  expect(existsSync(layout.snapshot('c1').dir)).toBe(false);
  recover(options);
  expect(existsSync(layout.snapshot('c1').dir)).toBe(true);
  await options.trash.settle();
});
