import { expect, test } from 'bun:test';
import { parseLink } from './link.ts';
import { linkEnv } from './link-env.ts';
import { hostNamesOf } from './linked.ts';

test.each([
  ['db', { target: 'db', alias: 'db' }],
  ['db:store', { target: 'db', alias: 'store' }],
  ['db:/store', { target: 'db', alias: 'store' }],
  ['/db:/web/store', { target: 'db', alias: 'store' }],
])('parseLink: %s', (text, expected) => expect(parseLink(text)).toEqual(expected));

test.each([
  ['', 'empty string specified for links'],
  ['a:b:c', 'bad format for links: a:b:c'],
])('parseLink: %j is refused', (text, expected) => expect(() => parseLink(text)).toThrow(expected));

// Recorded from the reference engine.
const RECORDED = `
DATABASE_ENV_FOO=bar
DATABASE_ENV_X=y=z
DATABASE_NAME=/web/database
DATABASE_PORT=udp://10.213.0.2:53
DATABASE_PORT_53_UDP=udp://10.213.0.2:53
DATABASE_PORT_53_UDP_ADDR=10.213.0.2
DATABASE_PORT_53_UDP_PORT=53
DATABASE_PORT_53_UDP_PROTO=udp
DATABASE_PORT_8000_TCP=tcp://10.213.0.2:8000
DATABASE_PORT_8000_TCP_ADDR=10.213.0.2
DATABASE_PORT_8000_TCP_END=tcp://10.213.0.2:8001
DATABASE_PORT_8000_TCP_PORT=8000
DATABASE_PORT_8000_TCP_PORT_END=8001
DATABASE_PORT_8000_TCP_PORT_START=8000
DATABASE_PORT_8000_TCP_PROTO=tcp
DATABASE_PORT_8000_TCP_START=tcp://10.213.0.2:8000
DATABASE_PORT_8001_TCP=tcp://10.213.0.2:8001
DATABASE_PORT_8001_TCP_ADDR=10.213.0.2
DATABASE_PORT_8001_TCP_PORT=8001
DATABASE_PORT_8001_TCP_PROTO=tcp
DATABASE_PORT_80_TCP=tcp://10.213.0.2:80
DATABASE_PORT_80_TCP_ADDR=10.213.0.2
DATABASE_PORT_80_TCP_PORT=80
DATABASE_PORT_80_TCP_PROTO=tcp
`.trim();

test.each([
  ['fred', ['db', 'fred', 'database']],
  ['database', ['db', 'database']],
  ['', ['db', '0123456789ab', 'database']],
  ['a\n10.0.0.1 b', ['db', '0123456789ab', 'database']],
])('hostNamesOf: a linked container with the host name %j answers to %j', (hostname, names) => {
  const target = { id: '0123456789abcdef', name: 'database', config: { hostname } };
  expect(hostNamesOf({ alias: 'db', target })).toEqual(names);
});

test('linkEnv: as the reference engine gives it', () => {
  const env = linkEnv({
    fullName: '/web/database',
    address: '10.213.0.2',
    exposedPorts: ['8001/tcp', '80/tcp', '53/udp', '8000/tcp'],
    env: ['FOO=bar', 'PATH=/bin', 'X=y=z', 'HOME=/root', 'UNSET'],
  });
  expect(env.toSorted().join('\n')).toBe(RECORDED);
});

test('linkEnv: the lowest port gives the address, TCP before UDP; a hyphen becomes an underscore', () => {
  const env = linkEnv({
    fullName: '/web/my-db.x',
    address: '10.0.0.2',
    exposedPorts: ['53/udp', '53/tcp'],
    env: [],
  });
  expect(env[0]).toBe('MY_DB.X_PORT=tcp://10.0.0.2:53');
  expect(linkEnv({ fullName: '/a/b', address: '1.1.1.1', exposedPorts: [], env: [] })).toEqual([
    'B_NAME=/a/b',
  ]);
});
