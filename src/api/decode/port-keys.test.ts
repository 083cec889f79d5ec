import { expect, test } from 'bun:test';
import { decodeJson, set } from '../json/decoder.ts';
import { withPortKeys } from './port-keys.ts';

const ports = withPortKeys(set);

test.each([
  ['x/tcp', "invalid port 'x': invalid syntax"],
  ['-1', "invalid port '-1': invalid syntax"],
  ['80-81/tcp', "invalid port '80-81': invalid syntax"],
  ['65536/udp', "invalid port '65536': value out of range"],
  ['/tcp', "invalid port '': value is empty"],
])('%s is refused in docker’s words', (key, reason) => {
  expect(() => decodeJson(ports, JSON.stringify({ [key]: {} }))).toThrow(`invalid JSON: ${reason}`);
});

test('ports with any protocol, and nothing at all, are for others to judge', () => {
  const given = { '80': {}, '53/udp': {}, '0/x': {}, '': {} };
  expect(decodeJson(ports, JSON.stringify(given))).toEqual(given);
});
