import { expect, test } from 'bun:test';
import {
  formatIpv4,
  formatSubnet,
  lastAddress,
  overlaps,
  parseSubnet,
  tryParseCidr,
  tryParseIpv4,
} from './ipv4.ts';

test('addresses survive a round trip, the top half included', () => {
  for (const text of ['0.0.0.0', '10.1.2.3', '172.17.0.1', '192.168.255.254', '255.255.255.255']) {
    expect(formatIpv4(tryParseIpv4(text) ?? -1)).toBe(text);
  }
});

test.each(['', '1.2.3', '1.2.3.256', '01.2.3.4', '1.2.3.4.5', 'a.b.c.d', '::1', ' 1.2.3.4'])(
  'refuses %p as an address',
  (text) => expect(tryParseIpv4(text)).toBeUndefined(),
);

test('a CIDR keeps host and network apart', () => {
  const parsed = tryParseCidr('192.168.5.17/20');
  expect(parsed && formatIpv4(parsed.host)).toBe('192.168.5.17');
  expect(parsed && formatSubnet(parsed.subnet)).toBe('192.168.0.0/20');
  expect(parsed && formatIpv4(lastAddress(parsed.subnet))).toBe('192.168.15.255');
});

test.each(['10.0.0.0', '10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/8/8', '10.0.0/8'])(
  'refuses %p as a network',
  (text) => expect(() => parseSubnet(text)).toThrow(`invalid subnet ${text}`),
);

test('overlap is symmetric and exact at the edges', () => {
  const a = parseSubnet('10.0.0.0/25');
  const b = parseSubnet('10.0.0.128/25');
  const all = parseSubnet('0.0.0.0/0');
  expect([overlaps(a, b), overlaps(b, a), overlaps(a, all), overlaps(all, b), overlaps(a, a)]).toEqual([
    false,
    false,
    true,
    true,
    true,
  ]);
});
