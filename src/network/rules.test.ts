import { expect, test } from 'bun:test';
import { renderAdd, renderDelete, renderTable, tableName } from './rules.ts';

const bridge = (name: string, subnet: string, extra = {}) => ({
  bridge: name,
  subnet,
  guarded: subnet,
  masquerade: true,
  interContainer: true,
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
  expect(renderTable('t', { networks: [], ports: [], links: [] }).split('\n').slice(0, 3)).toEqual([
    'add table inet t',
    'delete table inet t',
    'table inet t {',
  ]);
});

test('networks are members of sets; an internal one is never masqueraded', () => {
  const text = renderTable('t', {
    networks: [bridge('br1', '10.0.0.0/24'), bridge('br2', '10.0.1.0/24', { internal: true })],
    ports: [],
    links: [],
  });
  expect(text).toContain('set bridges { type ifname; elements = { "br1", "br2" }; }');
  expect(text).toContain('set internal { type ifname; elements = { "br2" }; }');
  expect(text).toContain('set outbound { type ipv4_addr; flags interval; elements = { 10.0.0.0/24 }; }');
});

test('any-address and single-address ports go to their maps', () => {
  const ports = [port('0.0.0.0', 8080), port('127.0.0.1', 8081)];
  expect(renderAdd('t', { ports, links: [] })).toBe(
    'add element inet t ports { 127.0.0.1 . tcp . 8081 : 10.0.0.2 . 80 }\n' +
      'add element inet t any_ports { tcp . 8080 : 10.0.0.2 . 80 }',
  );
  expect(renderDelete('t', { ports: ports.slice(0, 1), links: [] })).toBe(
    'delete element inet t any_ports { tcp . 8080 }',
  );
  expect(renderAdd('t', { ports: [], links: [] })).toBe('');
  expect(renderTable('t', { networks: [], ports, links: [] })).toContain(
    'elements = { tcp . 8080 : 10.0.0.2 . 80 }',
  );
});

test('where containers are kept apart only links pass between them', () => {
  const networks = [bridge('br1', '10.0.0.0/24', { interContainer: false })];
  const link = { sourceIp: '10.0.0.2', targetIp: '10.0.0.3', protocol: 'tcp', targetPort: 80 } as const;
  const text = renderTable('t', { networks, ports: [], links: [link] });
  expect(text).toContain('set peers { type ifname . ifname; }');
  expect(text).toContain('elements = { 10.0.0.2 . 10.0.0.3 . tcp . 80 }');
  expect(renderDelete('t', { ports: [], links: [link] })).toBe(
    'delete element inet t links { 10.0.0.2 . 10.0.0.3 . tcp . 80 }',
  );
});
