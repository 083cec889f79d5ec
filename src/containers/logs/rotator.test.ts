import { afterEach, beforeEach, expect, test } from 'bun:test';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '#base';
import { logFiles } from './files.ts';
import { LogRotator } from './rotator.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gantry-rotate-'));
  path = join(directory, 'log');
  writeFileSync(path, '');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const rotator = (maxFiles: number) =>
  new LogRotator({
    path,
    maxBytes: 10,
    maxFiles,
    logger: silentLogger,
    task: { reopenLog: async () => writeFileSync(path, '') },
  });

test('LogRotator: keeps at most max-file files, newest first', async () => {
  await using rotating = rotator(3);
  for (const text of ['first-----', 'second----', 'third-----', 'fourth----']) {
    appendFileSync(path, text);
    expect(await rotating.rotateIfLarge()).toBe(true);
  }
  expect(logFiles(path).map((file) => readFileSync(file, 'utf8'))).toEqual(['third-----', 'fourth----', '']);
});

test('LogRotator: below the limit nothing happens', async () => {
  await using rotating = rotator(3);
  appendFileSync(path, 'short');
  expect(await rotating.rotateIfLarge()).toBe(false);
  expect(logFiles(path)).toEqual([path]);
});

test('LogRotator: with one file the old content goes', async () => {
  await using rotating = rotator(1);
  appendFileSync(path, 'first-----');
  await rotating.rotateIfLarge();
  expect(logFiles(path)).toEqual([path]);
});
