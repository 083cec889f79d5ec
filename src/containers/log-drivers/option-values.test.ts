import { expect, test } from 'bun:test';
import { parseDecimalSize } from './option-values.ts';
import { parseSyslogOptions } from './syslog/options.ts';

test.each([
  ['10k', 10_000],
  ['1.5 MB', 1_500_000],
  ['7', 7],
])('parseDecimalSize: %s', (text, bytes) => expect(parseDecimalSize(text)).toBe(bytes));

test.each(['10constructor', '10toString', '10x', 'k', ''])('parseDecimalSize: %j is refused', (text) =>
  expect(() => parseDecimalSize(text)).toThrow(/invalid (size|suffix)/),
);

test.each(['constructor', '__proto__', '24', 'Kern'])('the syslog facility %j is refused', (facility) =>
  expect(() => parseSyslogOptions({ 'syslog-facility': facility })).toThrow('invalid syslog facility'),
);
