import { expect, test } from 'bun:test';
import { parseBlkio } from './cgroup-v1.ts';
import { parseIoStat } from './cgroup-v2.ts';
import { parseMemTotal, parseNetDev, parseProcStat } from './host.ts';
import { parseCount, parseCounts, parseKeyed, parseLimit } from './parse.ts';

test('numbers: anything else is 0, `max` and a missing file are no limit', () => {
  expect([parseCount('17\n'), parseCount(undefined), parseCount('x')]).toEqual([17, 0, 0]);
  expect([parseLimit('100\n'), parseLimit('max\n'), parseLimit(undefined)]).toEqual([
    100,
    undefined,
    undefined,
  ]);
  expect(parseCounts('1 22  333 \n')).toEqual([1, 22, 333]);
  expect(parseCounts(undefined)).toEqual([]);
});

test('parseKeyed: lines without a value are skipped', () => {
  expect([...parseKeyed('a 1\nbroken\n\nb 2')]).toEqual([
    ['a', 1],
    ['b', 2],
  ]);
});

test('parseBlkio: with and without an operation, without the sum', () => {
  expect(parseBlkio('8:16 Read 5\n8:16 7\nTotal 12\nnonsense\n')).toEqual([
    { major: 8, minor: 16, op: 'Read', value: 5 },
    { major: 8, minor: 16, op: '', value: 7 },
  ]);
});

test('parseIoStat: a device without figures is left out, a missing figure is 0', () => {
  expect(parseIoStat('7:0\n8:0 rbytes=1 rios=1\n')).toEqual([
    { major: 8, minor: 0, op: 'read', value: 1 },
    { major: 8, minor: 0, op: 'write', value: 0 },
  ]);
});

test('parseProcStat: guest time is not counted twice', () => {
  expect(parseProcStat('cpu  1 1 1 1 1 1 1 100 100 100\ncpu0 1 1 1 1\ncpu7 1\nintr 5\ncpu9 1')).toEqual({
    systemNs: 70_000_000,
    onlineCpus: 2,
  });
  expect(parseProcStat(undefined)).toEqual({ systemNs: 0, onlineCpus: 0 });
});

test('parseMemTotal: an unreadable file sets no bound', () => {
  expect(parseMemTotal('MemTotal:       24684096 kB\n')).toBe(24_684_096 * 1024);
  expect(parseMemTotal(undefined)).toBe(Number.POSITIVE_INFINITY);
});

test('parseNetDev: numbers that touch the colon, aliases and headings', () => {
  const text =
    ' face |bytes    packets\n  a:b:99 1 0 0 0 0 0 0 5 2 0 0 0 0 0 0\n    lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n';
  expect(Object.keys(parseNetDev(text, undefined))).toEqual(['a:b']);
  expect(parseNetDev(text, undefined)['a:b']).toMatchObject({ rxBytes: 99, txBytes: 5, txPackets: 2 });
  expect(Object.keys(parseNetDev(text, ['lo']))).toEqual(['lo']);
});
