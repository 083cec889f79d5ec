import { expect, test } from 'bun:test';
import { formatSubnet, parseSubnet } from './ipv4.ts';
import { chooseSubnet, DEFAULT_ADDRESS_POOLS } from './subnet-choice.ts';

const held = (...subnets: string[]) =>
  subnets.map((text, index) => ({ subnet: parseSubnet(text), holder: `if${index}` }));
const choose = (occupied: string[], pools = DEFAULT_ADDRESS_POOLS) =>
  formatSubnet(chooseSubnet(pools, held(...occupied)));

test.each([
  [[], '172.17.0.0/16'],
  [['172.17.0.0/16'], '172.18.0.0/16'],
  [['172.17.5.4/32'], '172.18.0.0/16'],
  [['172.16.0.0/12'], '192.168.0.0/20'],
  [['172.16.0.0/12', '192.168.1.0/24'], '192.168.16.0/20'],
])('beside %p chooses %p', (occupied, expected) => expect(choose(occupied)).toBe(expected));

test('cuts small networks from a pool and steps over what is taken', () => {
  const pools = [{ base: '10.10.0.0/16', size: 24 }];
  expect(choose([], pools)).toBe('10.10.0.0/24');
  expect(choose(['10.10.0.0/22', '10.10.5.128/25'], pools)).toBe('10.10.4.0/24');
});

test('a pool of many small networks under one wide route is not tried one by one', () => {
  const pools = [
    { base: '10.0.0.0/8', size: 30 },
    { base: '172.30.0.0/16', size: 24 },
  ];
  const occupied = held('10.0.0.0/8');
  let comparisons = 0;
  const counted = new Proxy(occupied, {
    get(target, key, receiver) {
      if (key === '0') comparisons += 1;
      return Reflect.get(target, key, receiver);
    },
  });
  expect(formatSubnet(chooseSubnet(pools, counted))).toBe('172.30.0.0/24');
  expect(comparisons).toBe(2);
});

test('when nothing is left the error names who has it', () => {
  expect(() => choose(['172.16.0.0/12', '192.168.0.0/16'])).toThrow(
    'could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network' +
      ' (taken by if0 172.16.0.0/12, if1 192.168.0.0/16)',
  );
});
