import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasCode } from '../errdefs.ts';
import { encodeTarHeader, tarEnd, tarPadding } from './encode.ts';
import { formatPaxRecord } from './pax.ts';
import { readTar } from './reader.ts';
import type { TarHeader, TarLimits } from './types.ts';
import { type TarInput, writeTar } from './writer.ts';

let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'gantry-tar-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Cuts bytes into pieces of pseudo-random length, so that every border falls everywhere sooner or later. */
function* pieces(bytes: Uint8Array, seed: number): Generator<Uint8Array> {
  let state = seed;
  for (let at = 0; at < bytes.length; ) {
    state = (state * 1103515245 + 12345) % 2147483648;
    const length = 1 + (state % (seed % 2 === 0 ? 1500 : 40_000));
    yield bytes.slice(at, at + length);
    at += length;
  }
}

interface Read {
  readonly header: TarHeader;
  readonly body: Buffer;
}

async function readAll(bytes: Uint8Array, seed = 1, limits: TarLimits = {}): Promise<Read[]> {
  const read: Read[] = [];
  for await (const { header, body } of readTar(pieces(bytes, seed), limits)) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(Buffer.from(chunk));
    read.push({ header, body: Buffer.concat(chunks) });
  }
  return read;
}

async function write(entries: Iterable<TarInput>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeTar(entries)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const broken = async (bytes: Uint8Array, limits: TarLimits = {}): Promise<string> => {
  const error = await readAll(bytes, 1, limits).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(hasCode(error, 'invalid_argument')).toBe(true);
  return (error as Error).message;
};

/** A raw extended header in front of whatever follows. */
function extension(typeflag: string, body: Uint8Array): Buffer {
  const block = Buffer.from(encodeTarHeader({ path: 'ext', size: body.length }));
  block.write(typeflag, 156, 'latin1');
  return Buffer.concat([rechecksum(block), body, tarPadding(body.length)]);
}

function rechecksum(block: Buffer): Buffer {
  block.fill(0x20, 148, 156);
  let sum = 0;
  for (const byte of block.subarray(0, 512)) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

const pax = (...records: readonly (readonly [string, string | Uint8Array])[]): Buffer =>
  extension('x', Buffer.concat(records.map(([key, value]) => formatPaxRecord(key, Buffer.from(value)))));
const file = (path: string, content = ''): Buffer =>
  Buffer.concat([
    encodeTarHeader({ path, size: content.length }),
    Buffer.from(content),
    tarPadding(content.length),
  ]);

function makeTree(root: string): void {
  mkdirSync(join(root, 'sub/deep'), { recursive: true });
  writeFileSync(join(root, 'empty'), '');
  writeFileSync(join(root, 'sub/small'), 'hello\n', { mode: 0o4755 });
  writeFileSync(join(root, 'sub/big'), Buffer.alloc(123_457, 'gantry'));
  writeFileSync(join(root, `sub/deep/${'n'.repeat(180)}`), 'long name');
  writeFileSync(join(root, 'sub/größe-ñ-日本'), 'unicode');
  symlinkSync(`${'target/'.repeat(30)}x`, join(root, 'sub/link'));
  execFileSync('ln', [join(root, 'sub/small'), join(root, 'sub/zz-hard')]);
  execFileSync('mkfifo', [join(root, 'pipe')]);
  writeFileSync(join(root, 'sparse'), 'start');
  truncateSync(join(root, 'sparse'), 3_000_000);
  execFileSync('sh', ['-c', 'printf middle | dd of=sparse bs=1 seek=1500000 conv=notrunc status=none'], {
    cwd: root,
  });
}

describe('readTar: archives of GNU tar', () => {
  const formats = ['v7', 'ustar', 'oldgnu', 'gnu', 'pax'] as const;
  for (const format of formats) {
    test(`${format}: every member comes out as it went in`, async () => {
      const root = join(dir, `tree-${format}`);
      mkdirSync(root);
      makeTree(root);
      // V7 and ustar cannot hold these.
      const excludes =
        format === 'v7' || format === 'ustar' ? ['--exclude=n*', '--exclude=link', '--exclude=pipe'] : [];
      const bytes = execFileSync(
        'tar',
        ['-cf', '-', `--format=${format}`, '--sort=name', ...excludes, '-C', root, '.'],
        { maxBuffer: 64e6, stdio: ['ignore', 'pipe', 'ignore'] },
      );
      const members = await readAll(bytes, 7);
      const listed = execFileSync('tar', ['-tf', '-', '--quoting-style=literal'], { input: bytes });
      expect(members.map(({ header }) => header.path)).toEqual(listed.toString().trimEnd().split('\n'));
      for (const { header, body } of members) {
        if (header.type !== 'file') continue;
        expect(body.equals(readFileSync(join(root, header.path)))).toBe(true);
      }
    });
  }

  const sparseFormats = [
    ['gnu', []],
    ['pax 0.0', ['--sparse-version=0.0']],
    ['pax 0.1', ['--sparse-version=0.1']],
    ['pax 1.0', ['--sparse-version=1.0']],
  ] as const;
  for (const [name, options] of sparseFormats) {
    test(`sparse files in format ${name} keep size, content and holes`, async () => {
      const root = mkdtempSync(join(dir, 'sparse-'));
      // More parts than the header block of the GNU format holds.
      execFileSync(
        'sh',
        [
          '-c',
          'for i in $(seq 1 40); do printf "part $i" | dd of=f bs=1 seek=$(( i * 100000 )) conv=notrunc status=none; done; truncate -s 5000000 f; ln f g',
        ],
        { cwd: root },
      );
      const format = name === 'gnu' ? 'gnu' : 'pax';
      const bytes = execFileSync('tar', [
        '-cSf',
        '-',
        `--format=${format}`,
        ...options,
        '-C',
        root,
        'f',
        'g',
      ]);
      const [member, link] = await readAll(bytes, 4);
      expect(member?.header.path).toBe('f');
      expect(member?.header.size).toBe(5_000_000);
      expect(member?.header.sparse?.length).toBe(40);
      expect(member?.body.equals(readFileSync(join(root, 'f')))).toBe(true);
      expect(link?.header).toMatchObject({ type: 'hardlink', linkPath: 'f' });
    });
  }

  test('names that are not UTF-8 stay apart and survive a round trip', async () => {
    const names = [Buffer.from([0x66, 0xff]), Buffer.from([0x66, 0xfe]), Buffer.from('💀ü')];
    const bytes = Buffer.concat([...names.map((name) => pathOnly(name)), tarEnd()]);
    const members = await readAll(bytes);
    const again = await readAll(
      await write(members.map(({ header }) => ({ header: { path: header.path } }))),
    );
    expect(new Set(again.map(({ header }) => header.path)).size).toBe(3);
    const listed = execFileSync('tar', ['-tf', '-', '--quoting-style=literal', '--show-transformed-names'], {
      input: await write(members.map(({ header }) => ({ header: { path: header.path } }))),
    });
    expect(listed.equals(Buffer.concat(names.flatMap((name) => [name, Buffer.from('\n')])))).toBe(true);
  });
});

function pathOnly(name: Uint8Array): Buffer {
  const block = Buffer.from(encodeTarHeader({ path: 'x' }));
  block.set(name, 0);
  return rechecksum(block);
}

describe('writeTar', () => {
  test('everything a header can say comes back, and GNU tar agrees', async () => {
    const headers: TarInput[] = [
      { header: { path: 'd', type: 'directory', mode: 0o1777, mtimeNs: 1_700_000_000_123_456_789n } },
      {
        header: { path: 'd/plain', mode: 0o4755, uid: 33, gid: 44, uname: 'www', mtimeNs: 5n },
        body: 'text',
      },
      { header: { path: `d/${'x'.repeat(200)}/${'y'.repeat(90)}` }, body: 'long' },
      { header: { path: `${'p'.repeat(120)}/${'q'.repeat(90)}` }, body: 'prefix' },
      { header: { path: 'd/ünïcode', uid: 4_000_000_000, gid: 2_100_000 }, body: '' },
      { header: { path: 'd/sym', type: 'symlink', linkPath: `/${'l'.repeat(300)}` } },
      { header: { path: 'd/hard', type: 'hardlink', linkPath: 'd/plain' } },
      { header: { path: 'd/dev', type: 'character', devMajor: 1, devMinor: 3 } },
      { header: { path: 'd/fifo', type: 'fifo', mtimeNs: -1_500_000_000n } },
      {
        header: { path: 'd/cap', xattrs: new Map([['security.capability', Buffer.from([1, 0, 10, 61])]]) },
        body: Buffer.alloc(70_000, 'z'),
      },
    ];
    const bytes = await write(headers);
    const members = await readAll(bytes, 3);
    for (const [index, { header }] of headers.entries()) {
      const expected = header.type === 'directory' ? { ...header, path: `${header.path}/` } : header;
      expect(members[index]?.header).toMatchObject(expected);
    }
    expect(members.at(-1)?.body.equals(Buffer.alloc(70_000, 'z'))).toBe(true);
    const listed = execFileSync('tar', ['-tf', '-', '--quoting-style=literal'], { input: bytes });
    expect(listed.toString().trimEnd().split('\n')).toEqual(members.map(({ header }) => header.path));
  });

  test('sizes beyond octal go into PAX', async () => {
    const header = encodeTarHeader({ path: 'huge', size: 9_000_000_000_000 });
    const reader = readTar([header]);
    const { value } = await reader.next();
    expect(value && 'header' in value && value.header.size).toBe(9_000_000_000_000);
    await reader.return();
  });

  test('a body of the wrong length throws, or is fitted when asked', async () => {
    const entry = (): TarInput => ({ header: { path: 'f', size: 5 }, body: [Buffer.from('ab')] });
    await expect(write([entry()])).rejects.toMatchObject({ code: 'data_loss' });
    const chunks: Uint8Array[] = [];
    for await (const chunk of writeTar(
      [entry(), { header: { path: 'g', size: 1 }, body: [Buffer.from('xyz')] }],
      { onSizeMismatch: 'fit' },
    ))
      chunks.push(chunk);
    const members = await readAll(Buffer.concat(chunks));
    expect(members.map(({ body }) => body.toString())).toEqual(['ab\0\0\0', 'x']);
  });

  test('property: random trees survive write and read in any chunking', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const inputs = Array.from({ length: 30 }, (_, index) => {
        const size = (seed * 7919 * (index + 1)) % 5000;
        return {
          header: { path: `f${index}-${'a'.repeat((seed * index) % 260)}` },
          body: Buffer.alloc(size, index),
        };
      });
      const members = await readAll(await write(inputs), seed);
      expect(members.map(({ header }) => header.path)).toEqual(inputs.map(({ header }) => header.path));
      for (const [index, { body }] of inputs.entries()) expect(members[index]?.body.equals(body)).toBe(true);
    }
  });
});

describe('readTar: headers', () => {
  test('a PAX header wins over the block, a GNU long name over both', async () => {
    const long = extension('L', Buffer.from('from-gnu\0'));
    const members = await readAll(
      Buffer.concat([
        pax(['path', 'from-pax'], ['uid', '7']),
        file('a'),
        pax(['path', 'p']),
        long,
        file('b'),
      ]),
    );
    expect(members.map(({ header }) => [header.path, header.uid])).toEqual([
      ['from-pax', 7],
      ['from-gnu', 0],
    ]);
  });

  test('global headers apply until overridden, but never rename', async () => {
    const global = extension(
      'g',
      Buffer.concat([formatPaxRecord('gid', Buffer.from('9')), formatPaxRecord('path', Buffer.from('evil'))]),
    );
    const members = await readAll(Buffer.concat([global, file('a'), pax(['gid', '3']), file('b'), tarEnd()]));
    expect(members.map(({ header }) => [header.path, header.gid])).toEqual([
      ['a', 9],
      ['b', 3],
    ]);
  });

  test('the body of an entry nobody reads is skipped', async () => {
    const paths: string[] = [];
    const bytes = Buffer.concat([file('a', 'x'.repeat(2000)), file('b', 'y'), tarEnd()]);
    for await (const { header } of readTar(pieces(bytes, 2))) paths.push(header.path);
    expect(paths).toEqual(['a', 'b']);
  });

  test('an empty stream and a missing end mark are archives', async () => {
    expect(await readAll(Buffer.alloc(0))).toEqual([]);
    expect((await readAll(file('only', 'x')))[0]?.body.toString()).toBe('x');
  });

  test('what follows the end mark is ignored', async () => {
    expect(await readAll(Buffer.concat([file('a'), tarEnd(), Buffer.alloc(700, 'junk')]))).toHaveLength(1);
  });
});

describe('readTar: broken archives are refused', () => {
  test('bad checksum', async () => {
    const bytes = Buffer.concat([file('a', 'x')]);
    bytes[0] = 0x62;
    expect(await broken(bytes)).toContain('checksum');
  });
  test('cut in a header, a body, padding, or after an extended header', async () => {
    const whole = Buffer.concat([pax(['path', 'z']), file('a', 'x'.repeat(600))]);
    for (const length of [100, 700, 1024, 1100, 1700, whole.length - 1])
      expect(await broken(whole.subarray(0, length))).toContain('unexpected end');
  });
  test('negative size', async () => {
    const block = Buffer.from(encodeTarHeader({ path: 'a' }));
    block.fill(0xff, 124, 136);
    expect(await broken(rechecksum(block))).toContain('negative size');
    expect(await broken(Buffer.concat([pax(['size', '-5']), file('a')]))).toContain('negative size');
  });
  test('NUL in names', async () => {
    expect(await broken(Buffer.concat([pax(['path', 'a\0b']), file('a')]))).toContain('NUL');
    expect(await broken(Buffer.concat([extension('L', Buffer.from('a\0b\0')), file('a')]))).toContain('NUL');
  });
  test('owners that chown would take for "unchanged"', async () => {
    expect(await broken(Buffer.concat([pax(['uid', '4294967295']), file('a')]))).toContain('owner');
  });
  test('numbers that are none', async () => {
    for (const record of [
      ['size', '1e3'],
      ['mtime', 'now'],
      ['uid', '99999999999999999999999'],
    ] as const)
      await broken(Buffer.concat([pax(record), file('a')]));
  });
  test('malformed PAX records', async () => {
    for (const body of ['x', '5 a=b', '999999999 a=b\n', '6 a=b\n\n', '5 abc\n', '0 a=b\n', '-1 a=b\n'])
      await broken(Buffer.concat([extension('x', Buffer.from(body)), file('a')]));
  });
  test('long names and metadata beyond the limits', async () => {
    expect(await broken(Buffer.concat([pax(['path', 'a/'.repeat(2500)]), file('a')]))).toContain('too long');
    const header = Buffer.from(encodeTarHeader({ path: 'bomb', size: 4 * 2 ** 30 }));
    header.write('x', 156, 'latin1');
    expect(await broken(rechecksum(header))).toContain('too long');
  });
  test('unknown types and a lone zero block', async () => {
    const block = Buffer.from(encodeTarHeader({ path: 'a' }));
    block.write('M', 156, 'latin1');
    expect(await broken(rechecksum(block))).toContain('type');
    expect(await broken(Buffer.concat([new Uint8Array(512), file('a')]))).toContain('zero block');
  });
  test('sparse maps that overlap, leave the file or do not match the data', async () => {
    for (const map of ['0,1,0,1', '5,9', '1', '0,2', '3,-1', 'a,b'])
      await broken(
        Buffer.concat([
          pax(['GNU.sparse.map', map], ['GNU.sparse.size', '10'], ['GNU.sparse.numblocks', '1']),
          file('a', 'x'),
        ]),
      );
    const version1 = pax(['GNU.sparse.major', '1'], ['GNU.sparse.minor', '0'], ['GNU.sparse.realsize', '10']);
    for (const body of ['9999999999\n', '1\n0\n', 'x\n', `${'1'.repeat(50)}\n`])
      await broken(Buffer.concat([version1, file('a', body.padEnd(512, '\0'))]));
  });
});
