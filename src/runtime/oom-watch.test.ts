import { afterEach, beforeEach, expect, test } from 'bun:test';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLayout, type TaskLayout } from './layout.ts';
import { hasRunOutOfMemory, watchOom } from './oom-watch.ts';

let root: string;
let files: TaskLayout;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gantry-oom-'));
  files = createLayout(root).task('one');
  mkdirSync(files.directory, { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true }));

test('each time is told, and that it happened stays known', async () => {
  let told = Promise.withResolvers<void>();
  using _ = watchOom(
    files,
    () => false,
    () => told.resolve(),
  );
  expect(hasRunOutOfMemory(files)).toBe(false);
  for (let time = 0; time < 2; time += 1) {
    writeFileSync(files.oomFile, '');
    await told.promise;
    told = Promise.withResolvers();
    expect(hasRunOutOfMemory(files)).toBe(true);
  }
});

test('the two files that the monitor makes each time are one', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let count = 0;
  {
    using _ = watchOom(
      files,
      () => false,
      () => {
        count += 1;
        resolve();
      },
    );
    writeFileSync(files.oomFile, '');
    writeFileSync(files.oomFile, '');
    await promise;
  }
  expect(existsSync(files.oomFile)).toBe(false);
  expect(count).toBe(1);
});

test('what nobody was told is told at once, what was told is not told again', () => {
  writeFileSync(files.oomFile, '');
  let count = 0;
  for (let daemon = 0; daemon < 2; daemon += 1) {
    using _ = watchOom(
      files,
      () => false,
      () => {
        count += 1;
      },
    );
  }
  expect(count).toBe(1);
});

test('what was killed before the monitor began to watch is told once', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let count = 0;
  const tell = () => {
    count += 1;
    resolve();
  };
  {
    using _ = watchOom(files, () => true, tell);
    await promise;
    expect(hasRunOutOfMemory(files)).toBe(true);
  }
  {
    using _ = watchOom(files, () => true, tell);
  }
  expect([count, existsSync(files.oomFile)]).toEqual([1, false]);
});

test('a look that fails tells nothing and harms nobody', async () => {
  const asked = Promise.withResolvers<void>();
  const failing = () => {
    asked.resolve();
    throw new Error('EMFILE');
  };
  using _ = watchOom(files, failing, () => expect.unreachable());
  await asked.promise;
  expect(hasRunOutOfMemory(files)).toBe(false);
});
