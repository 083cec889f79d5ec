import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { silentLogger } from '#base';
import { SpoolCursor, type SpoolLine } from './cursor.ts';
import { listSpool, spoolDiskBytes } from './files.ts';
import { openSpoolFile } from './open.ts';
import { readCommit, writeCommit } from './position-file.ts';
import { type SpoolGuard, SpoolRotator, type SpoolRotatorOptions } from './rotator.ts';

let directory: string;
let path: string;
const open: AsyncDisposable[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gantry-spool-'));
  path = join(directory, 'log');
  writeFileSync(path, '');
});
afterEach(async () => {
  for (const resource of open.splice(0)) await resource[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

const keep = <T extends AsyncDisposable>(resource: T): T => {
  open.push(resource);
  return resource;
};
const cursor = (position?: SpoolCursor['position']) => keep(new SpoolCursor(path, position));
const rotator = (options: Partial<SpoolRotatorOptions> = {}) =>
  keep(
    new SpoolRotator({
      path,
      maxFiles: 3,
      compress: false,
      logger: silentLogger,
      reopen: async () => writeFileSync(path, ''),
      ...options,
    }),
  );
let written = 0;
/** Appends lines, each unique, and returns their texts. */
function write(count: number): string[] {
  const lines = Array.from({ length: count }, () => `line ${(written++).toString().padStart(8, '0')}`);
  appendFileSync(path, lines.map((line) => `${line}\n`).join(''));
  return lines;
}
const texts = (lines: readonly SpoolLine[]) => lines.map(({ line }) => line.toString());
async function readAll(from: SpoolCursor): Promise<string[]> {
  const all: string[] = [];
  for (let lines = await from.read(); lines.length > 0; lines = await from.read()) all.push(...texts(lines));
  return all;
}

describe('SpoolRotator', () => {
  const contents = async () =>
    Promise.all(
      (await listSpool(path)).map(
        async ({ path: file, isCompressed }) =>
          (isCompressed ? gunzipSync(readFileSync(file)) : readFileSync(file))
            .toString()
            .trim()
            .split('\n')[0],
      ),
    );

  for (const compress of [false, true]) {
    test(`keeps at most max-file files, newest first, ${compress ? 'compressed' : 'plain'}`, async () => {
      const rotating = rotator({ compress });
      const firsts: (string | undefined)[] = [];
      for (let round = 0; round < 4; round += 1) {
        firsts.unshift(write(10)[0]);
        await rotating.rotate();
      }
      await rotating.settle();
      expect(await contents()).toEqual(['', ...firsts.slice(0, 2)]);
      const suffix = compress ? '.gz' : '';
      expect(readdirSync(directory).sort()).toEqual(['log', `log.1${suffix}`, `log.2${suffix}`]);
    });
  }

  test('with one file the old content goes', async () => {
    write(3);
    await rotator({ maxFiles: 1 }).rotate();
    expect(readdirSync(directory)).toEqual(['log']);
  });

  test('a guard keeps files beyond max-file, in order, until it lets them go', async () => {
    let mayDelete = false;
    const guard: SpoolGuard = { mayDelete: async () => mayDelete };
    const rotating = rotator({ maxFiles: 2, guard: () => guard });
    for (let round = 0; round < 4; round += 1) {
      write(1);
      await rotating.rotate();
    }
    expect(readdirSync(directory).sort()).toEqual(['log', 'log.1', 'log.2', 'log.3', 'log.4']);
    mayDelete = true;
    const [last] = write(1);
    await rotating.rotate();
    expect(await contents()).toEqual(['', last]);
  });

  test('leftovers of a crash are put right', async () => {
    writeFileSync(`${path}.1`, 'plain\n');
    writeFileSync(`${path}.1.gz`, Bun.gzipSync('stale\n'));
    writeFileSync(`${path}.1.gz.tmp`, 'half');
    const [newest] = write(1);
    const rotating = rotator({ compress: true, maxFiles: 5 });
    await rotating.rotate();
    await rotating.settle();
    expect(await contents()).toEqual(['', newest, 'plain']);
    expect(readdirSync(directory).sort()).toEqual(['log', 'log.1.gz', 'log.2.gz']);
  });

  test('a writer that does not reopen is reported and nothing is lost', async () => {
    const [line] = write(1);
    const rotating = rotator({
      reopen: async () => {
        throw new Error('monitor gone');
      },
    });
    await expect(rotating.rotate()).rejects.toThrow('monitor gone');
    expect(await readAll(cursor())).toEqual([line ?? '']);
  });
});

describe('SpoolCursor', () => {
  test('reads over plain and compressed files in order, from any position', async () => {
    const rotating = rotator({ compress: true, maxFiles: 9 });
    const all: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      all.push(...write(20_000));
      await rotating.rotate();
    }
    await rotating.settle();
    all.push(...write(5));
    const lines: SpoolLine[] = [];
    const reading = cursor();
    for (let block = await reading.read(); block.length > 0; block = await reading.read())
      lines.push(...block);
    expect(texts(lines)).toEqual(all);
    for (const index of [0, 19_998, 19_999, 40_000, 60_003]) {
      const position = lines[index]?.next;
      expect(await readAll(cursor(position))).toEqual(all.slice(index + 1));
    }
    expect(readdirSync(directory).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('goes on across rotations and compression while reading, whenever they happen', async () => {
    const rotating = rotator({ compress: true, maxFiles: 99 });
    const reading = cursor();
    const expected: string[] = [];
    const read: string[] = [];
    for (let round = 0; round < 40; round += 1) {
      expected.push(...write(1 + ((round * 7919) % 4000)));
      if (round % 3 === 0) read.push(...texts(await reading.read()));
      if (round % 2 === 0) await rotating.rotate();
      if (round % 5 === 0) await rotating.settle();
    }
    read.push(...(await readAll(reading)));
    expect(read).toEqual(expected);
    expect(reading.takeGap()).toBe(false);
  });

  test('reading and rotating at the same time loses and repeats nothing', async () => {
    const rotating = rotator({ compress: true, maxFiles: 999 });
    const reading = cursor();
    const expected: string[] = [];
    const read: string[] = [];
    let isOver = false;
    const reader = (async () => {
      while (!isOver) {
        read.push(...texts(await reading.read()));
        await Bun.sleep(0);
      }
    })();
    for (let round = 0; round < 60; round += 1) {
      expected.push(...write(500));
      await rotating.rotate();
    }
    isOver = true;
    await reader;
    read.push(...(await readAll(reading)));
    expect(read).toEqual(expected);
  });

  test('an unfinished line waits for its end', async () => {
    const reading = cursor();
    appendFileSync(path, 'unfin');
    expect(await reading.read()).toEqual([]);
    appendFileSync(path, 'ished\nnext');
    expect(texts(await reading.read())).toEqual(['unfinished']);
    appendFileSync(path, '\n');
    expect(texts(await reading.read())).toEqual(['next']);
  });

  test('a line longer than a block is passed over', async () => {
    writeFileSync(path, `first\n${'z'.repeat(1_000_000)}\nlast\n`);
    expect(await readAll(cursor())).toEqual(['first', 'last']);
  });

  test('a damaged compressed file gives what it can', async () => {
    const compressed = Bun.gzipSync(Buffer.from('a\n'.repeat(100_000)));
    writeFileSync(`${path}.1.gz`, compressed.subarray(0, compressed.length - 20));
    const [last] = write(1);
    const lines = await readAll(cursor());
    expect(lines.at(-1)).toBe(last ?? '');
    expect(lines.slice(0, -1).every((line) => line === 'a')).toBe(true);
  });

  test('a position whose file is gone begins at the oldest and says so', async () => {
    const lost = cursor({ file: 'gone', offset: 7 });
    const all = write(2);
    expect(await readAll(lost)).toEqual(all);
    expect([lost.takeGap(), lost.takeGap()]).toEqual([true, false]);
  });

  test('unread: what is left in all files', async () => {
    const rotating = rotator({ compress: true, maxFiles: 9 });
    const reading = cursor();
    for (let round = 0; round < 3; round += 1) {
      write(100);
      await rotating.rotate();
      await rotating.settle();
    }
    write(10);
    const lineBytes = 14;
    expect(await reading.unread()).toBe(310 * lineBytes);
    await reading.read();
    expect(await reading.unread()).toBe(210 * lineBytes);
    await readAll(reading);
    expect(await reading.unread()).toBe(0);
    expect(await spoolDiskBytes(path)).toBeLessThan(310 * lineBytes);
  });

  test('skip: passes over just as much as asked, over files', async () => {
    const rotating = rotator({ maxFiles: 9 });
    const all = [...write(100)];
    await rotating.rotate();
    all.push(...write(100));
    const reading = cursor();
    const skipped: string[] = [];
    await reading.skip(150 * 14, (line) => skipped.push(line.toString()));
    expect(skipped).toEqual(all.slice(0, 150));
    expect(await readAll(cursor(reading.position))).toEqual(all.slice(150));
    expect(await readAll(reading)).toEqual(all.slice(150));
    await reading.skip(1_000_000, () => {});
  });

  test('progressIn, skipFile: what of a file has been read', async () => {
    const rotating = rotator({ maxFiles: 9 });
    write(5);
    await rotating.rotate();
    const second = write(5);
    const reading = cursor();
    const progress = (number: number) => reading.progressIn(number === 0 ? path : `${path}.${number}`, false);
    expect(await Promise.all([progress(1), progress(0)])).toEqual(['unread', 'unread']);
    await reading.skip(14, () => {});
    expect(await Promise.all([progress(1), progress(0)])).toEqual(['reading', 'unread']);
    const lost: string[] = [];
    await reading.skipFile((line) => lost.push(line.toString()));
    expect(lost).toHaveLength(4);
    expect(await progress(1)).toBe('read');
    expect(await readAll(reading)).toEqual(second);
    expect(await Promise.all([progress(1), progress(0), progress(7)])).toEqual(['read', 'read', 'read']);
  });
});

test('openSpoolFile: the same fingerprint before and after compression, none while the first line grows', async () => {
  appendFileSync(path, 'grow');
  const fingerprint = async (file: string) => {
    const opened = await openSpoolFile({ path: file, isCompressed: file.endsWith('.gz') });
    if (opened) keep(opened);
    return opened?.fingerprint;
  };
  expect(await fingerprint(path)).toBeUndefined();
  write(1000);
  const before = await fingerprint(path);
  expect(before).toBeString();
  const rotating = rotator({ compress: true });
  await rotating.rotate();
  await rotating.settle();
  expect(await fingerprint(`${path}.1.gz`)).toBe(before ?? '');
  expect(await fingerprint(`${path}.nothing`)).toBeUndefined();
});

describe('position file', () => {
  const file = () => join(directory, 'position');

  test('keeps a place with unfinished lines of any bytes', async () => {
    const pending = {
      stdout: { time: 't', parts: [Buffer.of(0xff, 0x00)], sizeBytes: 2, piece: { id: 'i', ordinal: 3 } },
    };
    const commit = { position: { file: 'f', offset: 2 ** 40 }, pending };
    await writeCommit(file(), commit);
    expect(await readCommit(file(), silentLogger)).toEqual(commit);
  });

  for (const damage of ['', '{', '{}', '{"version":1,"file":3}', 'null', '[]']) {
    test(`damage begins anew: ${JSON.stringify(damage)}`, async () => {
      writeFileSync(file(), damage);
      expect(await readCommit(file(), silentLogger)).toBeUndefined();
    });
  }

  test('without a file there is none', async () => {
    expect(await readCommit(file(), silentLogger)).toBeUndefined();
  });
});
