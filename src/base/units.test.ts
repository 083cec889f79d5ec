import { describe, expect, test } from 'bun:test';
import {
  formatBinaryBytes,
  formatBytes,
  formatDurationNs,
  formatHumanDuration,
  parseBytes,
  parseDurationNs,
} from './units.ts';

describe('sizes', () => {
  test.each([
    [0, '0B'],
    [999, '999B'],
    [1000, '1kB'],
    [1_234_567, '1.235MB'],
    [170_000_000, '170MB'],
  ])('`formatBytes`: %d is %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  test('`formatBytes`: precision 3, as the image table has it', () => {
    expect(formatBytes(1_234_567, 3)).toBe('1.23MB');
    expect(formatBytes(123_456_789, 3)).toBe('123MB');
    expect(formatBytes(999_999, 3)).toBe('1MB');
  });

  test('`formatBinaryBytes`: powers of 1024', () => {
    expect(formatBinaryBytes(25_276_358_656)).toBe('23.54GiB');
    expect(formatBinaryBytes(512)).toBe('512B');
  });

  test.each([
    ['512', 512],
    ['64m', 64 * 1024 ** 2],
    ['1.5g', 1.5 * 1024 ** 3],
    ['2GiB', 2 * 1024 ** 3],
    ['10 kb', 10 * 1024],
    ['-1', -1],
  ])('`parseBytes`: %s', (text, bytes) => expect(parseBytes(text)).toBe(bytes));

  test.each(['', 'm', '12x', '1 2', '0x10', 'NaN'])('`parseBytes`: refuses %p', (text) => {
    expect(() => parseBytes(text)).toThrow(`invalid size: '${text}'`);
  });
});

describe('durations', () => {
  test.each([
    ['1h15m30.5s', 4_530_500_000_000],
    ['-300ms', -300_000_000],
    ['0', 0],
    ['1us', 1000],
    ['.5s', 500_000_000],
  ])('`parseDurationNs`: %s', (text, ns) => expect(parseDurationNs(text)).toBe(ns));

  test('`parseDurationNs`: refuses with the texts of Go', () => {
    expect(() => parseDurationNs('5')).toThrow('time: missing unit in duration "5"');
    expect(() => parseDurationNs('x')).toThrow('time: invalid duration "x"');
    expect(() => parseDurationNs('5 s')).toThrow('time: invalid duration "5 s"');
  });

  test.each([
    [0, '0s'],
    [1500, '1.5µs'],
    [2_000_000, '2ms'],
    [90_000_000_000, '1m30s'],
    [3_600_000_000_000, '1h0m0s'],
    [-1_500_000_000, '-1.5s'],
  ])('`formatDurationNs`: %d', (ns, text) => expect(formatDurationNs(ns)).toBe(text));

  test.each([
    [0, 'Less than a second'],
    [1000, '1 second'],
    [59_000, '59 seconds'],
    [60_000, 'About a minute'],
    [5 * 60_000, '5 minutes'],
    [3_600_000, 'About an hour'],
    [5 * 3_600_000, '5 hours'],
    [3 * 86_400_000, '3 days'],
    [21 * 86_400_000, '3 weeks'],
    [90 * 86_400_000, '3 months'],
    [800 * 86_400_000, '2 years'],
  ])('`formatHumanDuration`: %d ms', (ms, text) => expect(formatHumanDuration(ms)).toBe(text));
});
