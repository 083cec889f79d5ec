import { expect, test } from 'bun:test';
import { buildResolvConf, resolvConfSource } from './resolv-conf.ts';

const HOST =
  '# made by hand\nsearch old.example\ndomain corp.example\nnameserver 127.0.0.1\nnameserver 10.0.0.53\nnameserver fe80::1\noptions ndots:2\n';
const inside = { host: HOST, ownNamespace: true, ipv6: false };

test('resolvers out of reach are left out', () => {
  expect(buildResolvConf(inside)).toBe('search corp.example\nnameserver 10.0.0.53\noptions ndots:2\n');
  expect(buildResolvConf({ ...inside, ipv6: true })).toContain('nameserver fe80::1\n');
});

test('without any reachable resolver public ones step in', () => {
  const host = 'nameserver 127.0.0.53\nnameserver ::1\n';
  expect(buildResolvConf({ host, ownNamespace: true, ipv6: false })).toBe(
    'nameserver 8.8.8.8\nnameserver 8.8.4.4\n',
  );
  expect(buildResolvConf({ host: '', ownNamespace: true, ipv6: true })).toContain(
    'nameserver 2001:4860:4860::8888\n',
  );
});

test('each kind of option replaces its own lines only', () => {
  expect(buildResolvConf({ ...inside, dns: ['127.0.0.1'], search: ['a.example', 'b.example'] })).toBe(
    'search a.example b.example\nnameserver 127.0.0.1\noptions ndots:2\n',
  );
  expect(buildResolvConf({ ...inside, search: ['.'], options: ['timeout:1'] })).toBe(
    'nameserver 10.0.0.53\noptions timeout:1\n',
  );
});

test('host networking keeps the host’s file to the byte', () => {
  expect(buildResolvConf({ ...inside, ownNamespace: false })).toBe(HOST);
  expect(buildResolvConf({ ...inside, ownNamespace: false, dns: ['1.1.1.1'] })).toContain(
    'nameserver 1.1.1.1\n',
  );
});

test('the stub of systemd-resolved points to the real list', () => {
  expect(resolvConfSource('nameserver 127.0.0.53\n')).toBe('/run/systemd/resolve/resolv.conf');
  expect(resolvConfSource('nameserver 127.0.0.53\nnameserver 1.1.1.1\n')).toBe('/etc/resolv.conf');
});
