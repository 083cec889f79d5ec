import { afterEach, beforeEach, expect, test } from 'bun:test';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '#base';
import { Trash } from './trash.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gantry-trash-'));
  for (const name of ['trash', 'one', 'two']) mkdirSync(join(dir, name));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const unmount = () => {};

test('`discard`: gone at once, deleted in the background', async () => {
  const trash = new Trash(join(dir, 'trash'), { list: () => [], unmount }, silentLogger);
  trash.discard(join(dir, 'one'));
  expect(existsSync(join(dir, 'one'))).toBe(false);
  await trash.settle();
  expect(readdirSync(join(dir, 'trash'))).toEqual([]);
});

test('a mount table that cannot be read leaves the tree for the next start, and fails nobody', async () => {
  let canRead = false;
  const list = () => {
    if (!canRead) throw new Error('too many open files');
    return [];
  };
  const trash = new Trash(join(dir, 'trash'), { list, unmount }, silentLogger);
  trash.discard(join(dir, 'one'));
  await trash.settle();
  expect(readdirSync(join(dir, 'trash'))).toHaveLength(1);
  canRead = true;
  trash.discard(join(dir, 'two'));
  await trash.settle();
  expect(readdirSync(join(dir, 'trash'))).toHaveLength(1);
  trash.resume();
  await trash.settle();
  expect(readdirSync(join(dir, 'trash'))).toEqual([]);
});
