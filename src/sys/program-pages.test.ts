import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { releaseProgramPages, unchangedParts } from './program-pages.ts';

const mapping = (range: string, flags: string, path: string, anonymousKb = 0): string =>
  `${range} ${flags} 00001000 fe:00 123    ${path}\nSize: 4 kB\nRss: 4 kB\nAnonymous:  ${anonymousKb} kB\nVmFlags: rd\n`;

test('`unchangedParts`: only what shows the program as it is on disk', () => {
  const smaps = [
    mapping('00200000-00201000', 'r--p', '/opt/g x/gantry'),
    mapping('00400000-00402000', 'r-xp', '/opt/g x/gantry'),
    mapping('00500000-00501000', 'r--p', '/opt/g x/gantry', 4),
    mapping('00600000-00601000', 'rw-p', '/opt/g x/gantry'),
    mapping('00700000-00701000', 'r-xs', '/opt/g x/gantry'),
    mapping('00800000-00801000', 'r-xp', '/lib/libc.so.6'),
    '00900000-00901000 r-xp 00000000 00:00 0 \nAnonymous:  0 kB\n',
  ].join('');
  expect(unchangedParts(smaps, '/opt/g x/gantry')).toEqual([
    { address: 0x200000, sizeBytes: 4096 },
    { address: 0x400000, sizeBytes: 8192 },
  ]);
});

test('`releaseProgramPages`: the process gets smaller and goes on', () => {
  const fileKb = () => Number(/RssFile:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
  const before = fileKb();
  releaseProgramPages();
  expect(fileKb()).toBeLessThan(before);
  expect([3, 1, 2].toSorted()).toEqual([1, 2, 3]);
});
