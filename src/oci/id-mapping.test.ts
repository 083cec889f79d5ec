import { expect, test } from 'bun:test';
import { isIdMappings, mappedRoot, toContainerId, toHostId, unmappedCapability } from './id-mapping.ts';

const ranges = [
  { containerID: 0, hostID: 100_000, size: 1000 },
  { containerID: 1000, hostID: 5000, size: 1 },
];

test('toHostId, toContainerId: each range, and nothing outside', () => {
  for (const [container, host] of [
    [0, 100_000],
    [999, 100_999],
    [1000, 5000],
  ] as const) {
    expect(toHostId(container, ranges)).toBe(host);
    expect(toContainerId(host, ranges)).toBe(container);
  }
  expect(toHostId(1001, ranges)).toBeUndefined();
  expect(toContainerId(0, ranges)).toBeUndefined();
  expect(mappedRoot({ uids: ranges, gids: [] })).toEqual({ uid: 100_000, gid: 0 });
});

test('isIdMappings: lists of whole ranges', () => {
  expect(isIdMappings({ uids: ranges, gids: [] })).toBe(true);
  for (const wrong of [undefined, {}, { uids: ranges }, { uids: [{ containerID: 0 }], gids: [] }])
    expect(isIdMappings(wrong)).toBe(false);
});

test('unmappedCapability: version 3 loses its root, version 2 stays', () => {
  const v2 = Uint8Array.from([1, 0, 0, 2, 0, 4, ...Array.from({ length: 14 }, () => 0)]);
  const v3 = Uint8Array.from([1, 0, 0, 3, 0, 4, ...Array.from({ length: 14 }, () => 0), 0xa0, 0x86, 1, 0]);
  expect(unmappedCapability(v3)).toEqual(v2);
  expect(unmappedCapability(v2)).toEqual(v2);
});
