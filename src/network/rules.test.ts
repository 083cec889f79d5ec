import { expect, test } from 'bun:test';
import { renderAddPorts, renderDeletePorts, renderTable, tableName } from './rules.ts';

const bridge = (name: string, subnet: string, extra = {}) => ({
  bridge: name,
  subnet,
  guarded: subnet,
  masquerade: true,
  internal: false,
  ...extra,
});
const port = (hostIp: string, hostPort: number) =>
  ({ protocol: 'tcp', hostIp, hostPort, targetIp: '10.0.0.2', targetPort: 80 }) as const;

test('the table name follows from the bridge, injectively', () => {
  expect(tableName('gantry0', 'gantry0')).toBe('gantry');
  const names = ['a-b', 'a_b', 'a.b', 'a_2db', 'gantry'].map((name) => tableName(name, 'gantry0'));
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z][A-Za-z0-9_]*$/);
});

test('the table replaces itself in one transaction', () => {
  expect(renderTable('t', [], []).split('\n').slice(0, 3)).toEqual([
    'add table inet t',
    'delete table inet t',
    'table inet t {',
  ]);
});

test('networks are members of sets; an internal one is never masqueraded', () => {
  const text = renderTable(
    't',
    [bridge('br1', '10.0.0.0/24'), bridge('br2', '10.0.1.0/24', { internal: true })],
    [],
  );
  expect(text).toContain('set bridges { type ifname; elements = { "br1", "br2" }; }');
  expect(text).toContain('set internal { type ifname; elements = { "br2" }; }');
  expect(text).toContain('set outbound { type ipv4_addr; flags interval; elements = { 10.0.0.0/24 }; }');
});

test('any-address and single-address ports go to their maps', () => {
  const ports = [port('0.0.0.0', 8080), port('127.0.0.1', 8081)];
  expect(renderAddPorts('t', ports)).toBe(
    'add element inet t ports { 127.0.0.1 . tcp . 8081 : 10.0.0.2 . 80 }\n' +
      'add element inet t any_ports { tcp . 8080 : 10.0.0.2 . 80 }',
  );
  expect(renderDeletePorts('t', ports.slice(0, 1))).toBe('delete element inet t any_ports { tcp . 8080 }');
  expect(renderAddPorts('t', [])).toBe('');
  expect(renderTable('t', [], ports)).toContain('elements = { tcp . 8080 : 10.0.0.2 . 80 }');
});
