import { describe, expect, test } from 'bun:test';
import { errorCode } from '#base';
import { pickAddress } from './address-pool.ts';
import { formatIpv4, tryParseIpv4 } from './ipv4.ts';
import { macFromIpv4 } from './mac.ts';
import type { IpamConfig } from './types.ts';

const source = (config: IpamConfig) => ({ id: 'f00d', name: 'net', ipam: [config] });
const SMALL = source({ subnet: '10.0.0.0/29', gateway: '10.0.0.1' });

/** Takes `count` addresses one after the other, each kept. */
function takeAll(network: ReturnType<typeof source>, count: number, taken = new Set<string>()): string[] {
  const got: string[] = [];
  let previous: number | undefined;
  for (let index = 0; index < count; index += 1) {
    const options = { source: network, isTaken: (address: number) => taken.has(formatIpv4(address)) };
    const { address } = pickAddress(previous === undefined ? options : { ...options, previous });
    previous = address;
    taken.add(formatIpv4(address));
    got.push(formatIpv4(address));
  }
  return got;
}

describe('pickAddress', () => {
  test('goes up in sequence, without gateway, network and broadcast', () => {
    expect(takeAll(SMALL, 5)).toEqual(['10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6']);
  });

  test('a full network says so with its name and ID', () => {
    expect(() => takeAll(SMALL, 6)).toThrow(
      "no available IPv4 addresses on this network's address pools: net (f00d)",
    );
  });

  test('a released address rests until the range has been walked', () => {
    const taken = new Set(['10.0.0.2', '10.0.0.4']);
    const pick = (previous: string) =>
      formatIpv4(
        pickAddress({
          source: SMALL,
          isTaken: (address) => taken.has(formatIpv4(address)),
          previous: tryParseIpv4(previous) ?? 0,
        }).address,
      );
    expect(pick('10.0.0.2')).toBe('10.0.0.3');
    expect(pick('10.0.0.4')).toBe('10.0.0.5');
    expect(pick('10.0.0.6')).toBe('10.0.0.3');
  });

  test('stays inside the range, whose own first address counts as a host', () => {
    const ranged = source({ subnet: '10.0.0.0/24', gateway: '10.0.0.1', ipRange: '10.0.0.128/31' });
    expect(takeAll(ranged, 2)).toEqual(['10.0.0.128', '10.0.0.129']);
    expect(() => takeAll(ranged, 3)).toThrow('no available IPv4 addresses');
  });

  test('point-to-point networks use both their addresses', () => {
    expect(takeAll(source({ subnet: '10.0.0.0/31', gateway: '10.0.0.0' }), 1)).toEqual(['10.0.0.1']);
  });

  test.each([
    ['10.0.0.1', 'Address already in use', 'forbidden'],
    ['10.0.0.7', 'Address already in use', 'forbidden'],
    ['10.0.0.3', 'Address already in use', 'forbidden'],
    ['10.0.1.3', 'Requested address is out of range', 'invalid_argument'],
    ['10.0.0', 'invalid IPv4 address: 10.0.0', 'invalid_argument'],
  ])('refuses to hand out %s on request', (requested, message, code) => {
    let thrown: unknown;
    try {
      pickAddress({ source: SMALL, requested, isTaken: (address) => formatIpv4(address) === '10.0.0.3' });
    } catch (error) {
      thrown = error;
    }
    expect([(thrown as Error).message, errorCode(thrown)]).toEqual([message, code]);
  });

  test('grants a free address on request, outside the range too', () => {
    const ranged = source({ subnet: '10.0.0.0/24', gateway: '10.0.0.1', ipRange: '10.0.0.128/25' });
    const { address } = pickAddress({ source: ranged, requested: '10.0.0.9', isTaken: () => false });
    expect(formatIpv4(address)).toBe('10.0.0.9');
  });
});

test('the MAC address follows from the address', () => {
  expect(macFromIpv4(tryParseIpv4('172.17.0.2') ?? 0)).toBe('02:42:ac:11:00:02');
});
