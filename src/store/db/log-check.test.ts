import { afterEach, beforeEach, expect, test } from 'bun:test';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, silentLogger } from '#base';
import { findFileDamage, findLogDamage } from './log-check.ts';
import { openMetadataStore } from './metadata-store.ts';

const FRAME_BYTES = 24 + 4096;
const HEADER_BYTES = 32;
let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gantry-log-'));
  path = join(dir, 'metadata.db');
  const original = join(dir, 'original.db');
  using store = openMetadataStore({ path: original, logger: silentLogger });
  const docs = store.collection('docs', (stored) => stored);
  for (let index = 0; index < 40; index += 1) docs.put(`k${index}`, 'x'.repeat(1000));
  // As a process that is killed leaves them.
  for (const suffix of ['', '-wal', '-shm']) copyFileSync(original + suffix, path + suffix);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const log = () => `${path}-wal`;
const garble = (at: number) => {
  const bytes = readFileSync(log());
  bytes.fill(0xa5, at, at + 16);
  writeFileSync(log(), bytes);
};

test('findLogDamage: a log that a killed process left is whole', () => {
  expect(findLogDamage(path)).toBeUndefined();
  expect(findLogDamage(join(dir, 'not-there.db'))).toBeUndefined();
});

test.each([
  ['emptied', () => truncateSync(log(), 0), 'it is empty, but held'],
  ['removed', () => rmSync(log()), 'it is empty, but held'],
  ['head garbled', () => garble(0), 'its head cannot be read'],
  ['head changed', () => garble(12), 'its head does not match its checksum'],
  ['page garbled', () => garble(HEADER_BYTES + FRAME_BYTES + 500), 'of its pages cannot be read'],
  ['frame head garbled', () => garble(HEADER_BYTES + FRAME_BYTES + 8), 'of its pages cannot be read'],
  ['cut within a page', () => truncateSync(log(), HEADER_BYTES + 3 * FRAME_BYTES - 9), 'cannot be read'],
  ['cut between pages', () => truncateSync(log(), HEADER_BYTES + 3 * FRAME_BYTES), 'pages are missing'],
])('findLogDamage: %s', (_, damage, reason) => {
  damage();
  expect(findLogDamage(path)).toContain(reason);
});

test.each([
  ['whole', () => {}, undefined],
  ['emptied', () => truncateSync(path, 0), 'its head cannot be read'],
  ['not there', () => rmSync(path), undefined],
])('findFileDamage: %s', (_, damage, reason) => {
  damage();
  expect(findFileDamage(path)).toBe(reason as never);
});

test('openMetadataStore: says when its log had all that was damaged in the file', () => {
  const bytes = readFileSync(path);
  writeFileSync(path, Buffer.concat([Buffer.alloc(16), bytes.subarray(16)]));
  const lines: string[] = [];
  const logger = createLogger({ level: () => 'warn', write: (line) => void lines.push(line) });
  using store = openMetadataStore({ path, logger });
  expect(store.isRebuilt).toBe(false);
  expect(store.collection('docs', (stored) => stored).entries()).toHaveLength(40);
  expect(lines.join('')).toContain('was damaged and set right from its log');
});

test('openMetadataStore: says what is wrong with its log, and keeps a copy', () => {
  garble(HEADER_BYTES + FRAME_BYTES + 500);
  const lines: string[] = [];
  const logger = createLogger({ level: () => 'warn', write: (line) => void lines.push(line) });
  openMetadataStore({ path, logger })[Symbol.dispose]();
  expect(lines.join('')).toContain("the metadata database's log is damaged");
  const aside = readdirSync(dir).find((name) => name.startsWith('metadata.db-wal.corrupt-'));
  expect(existsSync(join(dir, aside ?? 'none'))).toBe(true);
});
