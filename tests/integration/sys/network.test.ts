import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errnoCode } from '#base';
import { createSys, type Nftables } from '#sys';
// The way without the library is not offered at the door; it is what runs where libnftables is missing.
import { openSpawnedNftables } from '../../../src/sys/nftables/spawned.ts';

const sys = createSys();
let dir: string;
let spaces: string[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gantry-network-'));
  spaces = ['a', 'b'].map((name) => join(dir, name));
  for (const path of spaces) sys.namespaces.createNetwork(path);
});
afterEach(() => {
  for (const path of spaces) sys.namespaces.removeNetwork(path);
  rmSync(dir, { recursive: true });
});

function space(index: number): string {
  const path = spaces[index];
  if (path === undefined) throw new Error(`no namespace ${index}`);
  return path;
}

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    return errnoCode(error);
  }
  return undefined;
}

function run(netns: string, ...command: string[]): string {
  return sys.namespaces.withNetwork(netns, () => Bun.spawnSync(command).stdout.toString());
}

test('withSysctls: the namespace that the thread is in, not that of the procfs', () => {
  const name = 'net/ipv4/ip_default_ttl';
  const onHost = readFileSync(`/proc/sys/${name}`, 'utf8');
  sys.namespaces.withSysctls((directory) => {
    sys.namespaces.withNetwork(space(0), () => writeFileSync(join(directory, name), '77'));
    expect(readFileSync(join(directory, name), 'utf8')).toBe(onHost);
    sys.namespaces.withNetwork(space(1), () =>
      expect(readFileSync(join(directory, name), 'utf8')).not.toBe('77\n'),
    );
  });
  expect(run(space(0), 'cat', `/proc/sys/${name}`)).toBe('77\n');
});

test('a bridge, a veth and addresses carry packets of both families', () => {
  using a = sys.openNetlink(space(0));
  using b = sys.openNetlink(space(1));
  a.createBridge('br0');
  a.addAddress('br0', '10.99.0.1/24');
  a.addAddress('br0', 'fd99::1/64');
  a.setLink('br0', { up: true });
  a.createVeth({ name: 'v0', peerName: 'eth0', peerNetns: space(1), master: 'br0', up: true });
  b.addAddress('eth0', '10.99.0.2/24');
  b.addAddress('eth0', 'fd99::2/64');
  b.setLink('eth0', { up: true });
  b.addRoute({ gateway: '10.99.0.1' });
  b.addRoute({ gateway: 'fd99::1' });
  expect(run(space(1), 'busybox', 'ping', '-c1', '-W5', '10.99.0.1')).toContain(' 0% packet loss');
  expect(run(space(1), 'busybox', 'ping', '-c1', '-W5', 'fd99::1')).toContain(' 0% packet loss');
  expect(run(space(1), 'ip', 'addr', 'show', 'eth0')).toContain('10.99.0.2/24 brd 10.99.0.255 scope global');
  expect(run(space(1), 'ip', '-6', 'addr', 'show', 'eth0')).toMatch(/fd99::2\/64 scope global nodad/);
});

test('setLink: hairpin is set and unset on a bridge port', () => {
  using a = sys.openNetlink(space(0));
  a.createBridge('br0');
  a.createVeth({ name: 'v0', peerName: 'eth0', peerNetns: space(1), master: 'br0' });
  a.setLink('v0', { hairpin: true });
  expect(run(space(0), 'bridge', '-d', 'link')).toContain('hairpin on');
  a.setLink('v0', { hairpin: false });
  expect(run(space(0), 'bridge', '-d', 'link')).toContain('hairpin off');
  expect(codeOf(() => a.setLink('br0', { hairpin: true }))).toBeString();
});

test('addresses: a dump of many datagrams is complete', () => {
  using a = sys.openNetlink(space(0));
  a.createBridge('br0');
  for (let index = 0; index < 900; index++) a.addAddress('br0', `10.${index >> 8}.${index & 255}.1/24`);
  const found = a.addresses('br0');
  expect(found).toHaveLength(900);
  expect(new Set(found.map((address) => address.address)).size).toBe(900);
  // After a dump the same socket still pairs requests with their own answers.
  expect(a.link('br0')?.kind).toBe('bridge');
});

test("errors carry the kernel's own explanation", () => {
  using a = sys.openNetlink(space(0));
  a.createBridge('br0');
  a.addAddress('br0', '10.99.0.1/24');
  // That the address is assigned is said since Linux 6.3.
  expect(() => a.addAddress('br0', '10.99.0.1/24')).toThrow(/file exists .*br0/i);
  expect(() => a.addRoute({ gateway: '9.9.9.9' })).toThrow(/unreachable .*gateway/i);
});

test('createVeth: a failure leaves neither end, and no descriptor', () => {
  using a = sys.openNetlink(space(0));
  using b = sys.openNetlink(space(1));
  b.createBridge('eth0');
  const options = { name: 'v0', peerName: 'eth0', peerNetns: space(1) };
  expect(codeOf(() => a.createVeth(options))).toBe('EEXIST');
  expect(codeOf(() => a.createVeth({ ...options, master: 'nope' }))).toBe('ENODEV');
  expect(codeOf(() => a.createVeth({ ...options, peerName: 'a/b' }))).toBe('EINVAL');
  expect(codeOf(() => a.createVeth({ ...options, peerNetns: join(dir, 'missing') }))).toBe('ENOENT');
  expect(a.links().map((link) => link.name)).toEqual(['lo']);
});

test('createDummy: makes a dummy where the kernel has them, and says so where not', () => {
  using a = sys.openNetlink(space(0));
  const code = codeOf(() => a.createDummy('d0'));
  if (code === undefined) expect(a.link('d0')?.kind).toBe('dummy');
  else expect(code).toBe('EOPNOTSUPP');
});

test('a socket stays in its namespace, and outlives the path', () => {
  using a = sys.openNetlink(space(0));
  a.createBridge('here');
  sys.namespaces.removeNetwork(space(0));
  expect(existsSync(space(0))).toBe(false);
  expect(sys.namespaces.withNetwork(space(1), () => a.link('here')?.kind)).toBe('bridge');
});

test('createNetwork: a failure returns home and leaves no file', () => {
  const before = readFileSync('/proc/thread-self/net/dev', 'utf8').split('\n').length;
  expect(codeOf(() => sys.namespaces.createNetwork(join(dir, 'no/such/dir')))).toBe('ENOENT');
  expect(codeOf(() => sys.namespaces.withNetwork('/etc/hostname', () => 1))).toBe('EINVAL');
  expect(readFileSync('/proc/thread-self/net/dev', 'utf8').split('\n').length).toBe(before);
});

describe.each([
  ['libnftables', () => sys.openNftables()],
  ['the nft program', () => openSpawnedNftables(sys.namespaces)],
] as const)('nftables by %s', (_, open: () => Nftables) => {
  const inside = (): Nftables => sys.namespaces.withNetwork(space(0), open);

  test('run and query: work on the namespace of the opening, wherever the caller is', () => {
    using nft = inside();
    nft.run(
      'add table inet gantry_t; add map inet gantry_t m { type inet_service : ipv4_addr . inet_service; }',
    );
    nft.run('add element inet gantry_t m { 80 : 10.0.0.2 . 8080 }');
    const map = nft.query('list map inet gantry_t m').find((object) => 'map' in object)?.['map'];
    expect(map).toMatchObject({ name: 'm', elem: [[80, { concat: ['10.0.0.2', 8080] }]] });
    expect(run(space(0), 'nft', 'list', 'tables')).toContain('inet gantry_t');
    expect(run(space(1), 'nft', 'list', 'tables')).toBe('');
  });

  test("run: is all or nothing, and the error has the errno and nft's text", () => {
    using nft = inside();
    nft.run('add table inet gantry_t');
    const commands = 'add chain inet gantry_t one\nadd rule inet gantry_t absent accept\n';
    expect(codeOf(() => nft.run(commands))).toBe('ENOENT');
    expect(() => nft.run(commands)).toThrow('Could not process rule: No such file or directory');
    expect(nft.query('list chains').some((object) => 'chain' in object)).toBe(false);
    expect(() => nft.run('not a command')).toThrow('syntax error');
    nft.run('delete table inet gantry_t');
    expect(codeOf(() => nft.run('delete table inet gantry_t'))).toBe('ENOENT');
  });

  test('run: takes a large transaction', () => {
    using nft = inside();
    const elements = Array.from({ length: 2000 }, (_, index) => `${index + 1} : 10.0.0.2`).join(', ');
    nft.run(`add table inet gantry_t\nadd map inet gantry_t m { type inet_service : ipv4_addr; }
      add element inet gantry_t m { ${elements} }`);
    const text = JSON.stringify(nft.query('list table inet gantry_t'));
    expect(text).toContain('[2000,"10.0.0.2"]');
  });
});
