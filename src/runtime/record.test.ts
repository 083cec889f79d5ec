import { afterEach, beforeEach, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { healRecord, readRecord, type TaskRecord, writeFinalRecord, writeRecord } from './record.ts';

let dir = '';
let path = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gantry-record-'));
  path = join(dir, 'task.json');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const RECORD: TaskRecord = {
  version: 1,
  id: 'a',
  runtime: 'crun',
  cgroupsPath: '/gantry/a',
  terminal: false,
  openStdin: false,
  stdinOnce: false,
  logPath: undefined,
  init: { pid: 1, startTime: '1' },
  monitor: { pid: 2, startTime: '2' },
};

test.each([
  ['empty', () => truncateSync(path, 0)],
  ['garbled', () => writeFileSync(path, Buffer.from([0xff, 0, 0x7b]))],
  ['gone', () => rmSync(path)],
  ['another document', () => writeFileSync(path, '{"version":1}')],
])('`readRecord`: a final record that is %s is read from its copy', (_what, damage) => {
  writeFinalRecord(path, RECORD);
  expect(healRecord(path)).toEqual([]);
  damage();
  expect(readRecord(path)).toMatchObject({ id: 'a', init: RECORD.init });
  const [found] = healRecord(path);
  expect(found?.file).toBe(path);
  expect(found?.aside === undefined || existsSync(found.aside)).toBe(true);
  rmSync(`${path}.copy`);
  expect(readRecord(path)).toMatchObject({ id: 'a', init: RECORD.init });
  expect(healRecord(path)).toEqual([{ file: `${path}.copy`, aside: undefined }]);
});

test('`readRecord`: a draft has no copy; what cannot be read is none', () => {
  writeRecord(path, RECORD);
  expect(readRecord(path)).toMatchObject({ id: 'a' });
  truncateSync(path, 0);
  expect(readRecord(path)).toBeUndefined();
});
