import { expect, test } from 'bun:test';
import {
  broadcastAddress,
  formatAddress,
  formatMac,
  parseAddress,
  parseMac,
  parsePrefix,
} from './ip-address.ts';

test('parseAddress: writes every form in its shortest', () => {
  const cases = {
    '172.17.0.2': '172.17.0.2',
    '::': '::',
    '::1': '::1',
    'fd00::': 'fd00::',
    'FD00:0:0:1:0:0:0:2': 'fd00:0:0:1::2',
    '1:0:2:0:3:0:4:0': '1:0:2:0:3:0:4:0',
    '1:2:3:4:5:6:7:8': '1:2:3:4:5:6:7:8',
    '::ffff:192.0.2.1': '::ffff:c000:201',
    '2001:db8:0:0:1:0:0:1': '2001:db8::1:0:0:1',
  };
  for (const [text, canonical] of Object.entries(cases)) {
    expect(formatAddress(parseAddress(text).bytes)).toBe(canonical);
  }
});

test('parseAddress, parsePrefix, parseMac: refuse what is not one', () => {
  for (const text of ['', '1.2.3', '1.2.3.4.5', '256.1.1.1', 'fe80::1%eth0', ':::', 'x']) {
    expect(() => parseAddress(text)).toThrow('invalid argument');
  }
  for (const text of ['1.2.3.4/33', '1.2.3.4/', '1.2.3.4/-1', '::/129', '1.2.3.4/8/8']) {
    expect(() => parsePrefix(text)).toThrow('invalid argument');
  }
  for (const text of ['', '02:42', '02:42:ac:11:00:0g', '02-42-ac-11-00-02']) {
    expect(() => parseMac(text)).toThrow('invalid argument');
  }
});

test('broadcastAddress: has all host bits set, and is missing where there is none', () => {
  const of = (cidr: string) => broadcastAddress(parsePrefix(cidr))?.join('.');
  expect(of('172.17.0.2/16')).toBe('172.17.255.255');
  expect(of('10.0.0.9/29')).toBe('10.0.0.15');
  expect(of('10.0.0.9/31')).toBeUndefined();
  expect(of('fd00::1/64')).toBeUndefined();
});

test('formatMac: writes what parseMac reads', () => {
  expect(formatMac(parseMac('02:42:AC:11:00:02'))).toBe('02:42:ac:11:00:02');
});
