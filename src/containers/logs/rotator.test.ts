import { afterEach, beforeEach, expect, test } from 'bun:test';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '#base';
import { listSpool } from '../log-drivers/index.ts';
import { LogRotator } from './rotator.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gantry-rotate-'));
  path = join(directory, 'log');
  writeFileSync(path, '');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const rotator = (maxFiles: number, compress = false) =>
  new LogRotator({
    path,
    maxBytes: 10,
    maxFiles,
    compress,
    logger: silentLogger,
    task: { reopenLog: async () => writeFileSync(path, '') },
  });

const files = async () => (await listSpool(path)).map((file) => file.path);

test('LogRotator: keeps at most max-file files, newest first', async () => {
  await using rotating = rotator(3);
  for (const text of ['first-----', 'second----', 'third-----', 'fourth----']) {
    appendFileSync(path, text);
    expect(await rotating.rotateIfLarge()).toBe(true);
  }
  expect((await files()).map((file) => readFileSync(file, 'utf8'))).toEqual(['', 'fourth----', 'third-----']);
});

test('LogRotator: below the limit nothing happens', async () => {
  await using rotating = rotator(3);
  appendFileSync(path, 'short');
  expect(await rotating.rotateIfLarge()).toBe(false);
  expect(await files()).toEqual([path]);
});

test('LogRotator: with one file the old content goes', async () => {
  await using rotating = rotator(1);
  appendFileSync(path, 'first-----');
  await rotating.rotateIfLarge();
  expect(await files()).toEqual([path]);
});

test('LogRotator: old files are compressed when asked for', async () => {
  await using rotating = rotator(3, true);
  appendFileSync(path, 'first-----');
  await rotating.rotateIfLarge();
  await rotating.settle();
  expect(await files()).toEqual([path, `${path}.1.gz`]);
  expect(Bun.gunzipSync(readFileSync(`${path}.1.gz`))).toEqual(Buffer.from('first-----'));
});

test('LogRotator: a monitor that ends without opening the new file holds nobody up', async () => {
  const rotating = new LogRotator({
    path,
    maxBytes: 10,
    maxFiles: 3,
    compress: false,
    logger: silentLogger,
    task: { reopenLog: () => new Promise(() => {}) },
  });
  appendFileSync(path, 'first-----');
  while ((await files()).join() !== `${path}.1`) await Bun.sleep(5);
  await rotating[Symbol.asyncDispose]();
  expect(await files()).toEqual([`${path}.1`]);
});

test('LogRotator: rotates by itself, also after a rest, and heals a deleted log', async () => {
  await using _rotating = rotator(2);
  const reaches = async (names: string[]) => {
    while ((await files()).join() !== names.join()) await Bun.sleep(5);
  };
  appendFileSync(path, 'first-----');
  await reaches([path, `${path}.1`]);
  rmSync(path);
  while (!(await files()).includes(path)) await Bun.sleep(5);
  appendFileSync(path, 'second----');
  // In the middle of a rotation there is none.
  const old = () => (existsSync(`${path}.1`) ? readFileSync(`${path}.1`, 'utf8') : '');
  while (old() !== 'second----') await Bun.sleep(5);
});
