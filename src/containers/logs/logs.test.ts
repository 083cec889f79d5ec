import { afterEach, beforeEach, expect, test } from 'bun:test';
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogOptions, OutputChunk } from '../types.ts';
import { formatLogTime, parseEntry, timeToNs } from './entry.ts';
import { type LogSource, readLog } from './reader.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gantry-logs-'));
  path = join(directory, 'log');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const time = (second: number) => `2026-01-02T03:04:${String(second).padStart(2, '0')}.000000005+00:00`;
const line = (second: number, text: string, stream = 'stdout', flag = 'F') =>
  `${time(second)} ${stream} ${flag} ${text}\n`;
const ALL = { stdout: true, stderr: true, follow: false, timestamps: false, details: false } as const;
const source = (changes: Partial<LogSource> = {}): LogSource => ({
  path,
  details: '',
  ended: undefined,
  ...changes,
});

async function collect(options: Partial<LogOptions> = {}, from = source()): Promise<OutputChunk[]> {
  return (await Array.fromAsync(readLog(from, { ...ALL, ...options }))).flat();
}
const text = (chunks: OutputChunk[]) => Buffer.concat(chunks.map(({ data }) => data)).toString();

test('readLog: puts lines back together, byte by byte, streams apart', async () => {
  const binary = Buffer.from([0xff, 0x00, 0x0d, 0x80]);
  writeFileSync(path, line(1, 'one'));
  appendFileSync(path, Buffer.concat([Buffer.from(`${time(2)} stdout P `), binary, Buffer.from('\n')]));
  appendFileSync(path, line(3, 'err', 'stderr') + line(4, 'end', 'stdout', 'P'));
  const chunks = await collect();
  expect(chunks.map(({ stream }) => stream)).toEqual(['stdout', 'stdout', 'stderr', 'stdout']);
  expect(Buffer.concat(chunks.map(({ data }) => data))).toEqual(
    Buffer.concat([Buffer.from('one\n'), binary, Buffer.from('err\nend')]),
  );
});

test('readLog: timestamps and details stand once in front of each line', async () => {
  writeFileSync(path, line(1, 'a', 'stdout', 'P') + line(2, 'b') + line(3, 'c'));
  const options = { timestamps: true, details: true };
  expect(text(await collect(options, source({ details: 'k=v' })))).toBe(
    '2026-01-02T03:04:01.000000005Z k=v ab\n2026-01-02T03:04:03.000000005Z k=v c\n',
  );
});

test('readLog: every line is a chunk of its own', async () => {
  writeFileSync(path, line(1, 'a') + line(2, '') + line(3, 'b'));
  expect((await collect()).map(({ data }) => Buffer.from(data).toString())).toEqual(['a\n', '\n', 'b\n']);
});

for (const [tail, expected] of [
  [0, ''],
  [1, '5\n'],
  [2, '4\n5\n'],
  [5, '1\n2\n3\n4\n5\n'],
  [99, '1\n2\n3\n4\n5\n'],
] as const) {
  test(`readLog: tail ${tail} over rotated files`, async () => {
    writeFileSync(`${path}.2`, line(1, '1') + line(2, '2'));
    writeFileSync(`${path}.1`, line(3, '3'));
    writeFileSync(path, line(4, '4') + line(5, '5'));
    expect(text(await collect({ tail }))).toBe(expected);
  });
}

test('readLog: tail counts lines of the wanted stream, a partial one belongs to its line', async () => {
  const noise = Array.from({ length: 2000 }, (_, i) =>
    line(1, `noise ${i} ${'x'.repeat(60)}`, 'stderr'),
  ).join('');
  writeFileSync(path, line(1, 'a') + line(1, 'b', 'stdout', 'P') + line(1, 'c') + noise);
  expect(text(await collect({ tail: 1, stderr: false }))).toBe('bc\n');
  expect(text(await collect({ tail: 2, stderr: false }))).toBe('a\nbc\n');
});

test('readLog: since and until are inclusive, in nanoseconds', async () => {
  writeFileSync(path, line(1, '1') + line(2, '2') + line(3, '3'));
  const at = timeToNs(time(2)) ?? 0n;
  expect(text(await collect({ sinceNs: at, untilNs: at }))).toBe('2\n');
  expect(text(await collect({ sinceNs: at + 1n }))).toBe('3\n');
});

test('readLog: damaged lines are skipped, whatever their length', async () => {
  writeFileSync(path, `${line(1, 'a')}garbage\n${'z'.repeat(3 * 1024 * 1024)}\n\n${line(2, 'b')}`);
  expect(text(await collect())).toBe('a\nb\n');
});

test('readLog: follow sees later output, goes over a rotation and ends with the process', async () => {
  writeFileSync(path, line(1, '1'));
  const ended = Promise.withResolvers<void>();
  const reader = readLog(source({ ended: ended.promise }), { ...ALL, follow: true });
  const next = async () => text((await reader.next()).value as OutputChunk[]);
  expect(await next()).toBe('1\n');
  appendFileSync(path, line(2, '2'));
  expect(await next()).toBe('2\n');
  renameSync(path, `${path}.1`);
  appendFileSync(`${path}.1`, line(3, 'late'));
  expect(await next()).toBe('late\n');
  writeFileSync(path, line(4, '4'));
  expect(await next()).toBe('4\n');
  appendFileSync(path, line(5, 'last'));
  ended.resolve();
  expect(await next()).toBe('last\n');
  expect((await reader.next()).done).toBe(true);
});

test('readLog: follow ends when the signal aborts', async () => {
  writeFileSync(path, line(1, '1'));
  const abort = new AbortController();
  const never = new Promise<void>(() => {});
  const reader = readLog(source({ ended: never }), { ...ALL, follow: true, signal: abort.signal });
  await reader.next();
  const pending = reader.next();
  abort.abort();
  expect((await pending).done).toBe(true);
});

test('readLog: without a file there is no output', async () => {
  expect(await collect({ tail: 3 })).toEqual([]);
});

test('formatLogTime: UTC with nine decimals, from any zone', () => {
  expect(formatLogTime('2026-01-02T03:04:05.1+02:00')).toBe('2026-01-02T01:04:05.100000000Z');
  expect(formatLogTime('2026-01-02T03:04:05Z')).toBe('2026-01-02T03:04:05.000000000Z');
});

test('parseEntry: refuses what conmon does not write', () => {
  const parse = (value: string) => parseEntry(Buffer.from(value));
  expect(parse(`${time(1)} stdout F `)?.content.length).toBe(0);
  for (const bad of ['', 'x', `${time(1)} stdin  F a`, `${time(1)} stdout X a`, `${time(1)} stdout`]) {
    expect(parse(bad)).toBeUndefined();
  }
});
