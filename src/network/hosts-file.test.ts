import { expect, test } from 'bun:test';
import { buildHosts } from './hosts-file.ts';

test('standard lines, extra hosts, the container itself, in this order', () => {
  const content = buildHosts({
    hostname: 'box',
    domainname: 'example.com',
    addresses: ['172.17.0.2'],
    extraHosts: ['db:10.0.0.5', 'six=[fd00::1]', 'gw:host-gateway'],
    hostGateway: '172.17.0.1',
  });
  expect(content).toBe(
    [
      '127.0.0.1\tlocalhost',
      '::1\tlocalhost ip6-localhost ip6-loopback',
      'fe00::0\tip6-localnet',
      'ff00::0\tip6-mcastprefix',
      'ff02::1\tip6-allnodes',
      'ff02::2\tip6-allrouters',
      '10.0.0.5\tdb',
      'fd00::1\tsix',
      '172.17.0.1\tgw',
      '172.17.0.2\tbox.example.com box',
      '',
    ].join('\n'),
  );
});

test('links stand between extra hosts and the container; a dotted name gives its first part too', () => {
  const content = buildHosts({
    hostname: 'x.y.z',
    addresses: ['172.17.0.3'],
    extraHosts: ['a:1.1.1.1'],
    links: [{ address: '172.17.0.2', names: ['database', '0871e079eb66', 'db'] }],
  });
  expect(content.split('\n').slice(-4)).toEqual([
    '1.1.1.1\ta',
    '172.17.0.2\tdatabase 0871e079eb66 db',
    '172.17.0.3\tx.y.z x',
    '',
  ]);
});

test('without addresses the container has no line of its own', () => {
  expect(buildHosts({ hostname: 'box', addresses: [] })).not.toContain('box');
});
