import { describe, expect, test } from 'bun:test';
import {
  addFilterFlag,
  booleanFilter,
  encodeFilters,
  matchesLabels,
  parseFilters,
  requireFilterKeys,
} from './filters.ts';
import { parsePortKey, parsePortSpec, portMaps } from './ports.ts';
import { formatApiVersion, negotiateApiVersion, tryParseApiVersion } from './version.ts';

describe('parseFilters', () => {
  test('takes the map form, the list form and nothing', () => {
    expect(parseFilters('{"label":{"a":true,"b":true}}')).toEqual({ label: ['a', 'b'] });
    expect(parseFilters('{"label":["a","a"]}')).toEqual({ label: ['a'] });
    expect(parseFilters(undefined)).toEqual({});
    expect(parseFilters('{}')).toEqual({});
  });

  test.each(['{', '[]', '"x"', '{"a":1}', '{"a":[1]}', '{"a":{"b":"c"}}'])('%s is refused', (text) => {
    expect(() => parseFilters(text)).toThrow(/^invalid filter$/);
  });

  test('what the CLI encodes is read back', () => {
    const filters = addFilterFlag(addFilterFlag({}, 'Label = a=b'), 'label=c');
    expect(filters).toEqual({ label: ['a=b', 'c'] });
    expect(parseFilters(encodeFilters(filters))).toEqual(filters);
    expect(addFilterFlag({}, 'constructor=x')).toEqual({ constructor: ['x'] } as never);
    expect(() => addFilterFlag({}, 'x')).toThrow('bad format of filter (expected name=value)');
  });

  test('unknown keys and odd booleans are named', () => {
    expect(() => requireFilterKeys({ zz: ['a'] }, ['label'])).toThrow("invalid filter 'zz'");
    expect(booleanFilter({ dangling: ['true'] }, 'dangling')).toBe(true);
    expect(booleanFilter({}, 'dangling')).toBeUndefined();
    expect(() => booleanFilter({ dangling: ['a'] }, 'dangling')).toThrow("invalid filter 'dangling=[a]'");
  });

  test('matchesLabels: every one must hold, by key or key and value', () => {
    expect(matchesLabels({ a: 'b', c: '' }, ['a', 'a=b', 'c='])).toBe(true);
    expect(matchesLabels({ a: 'b' }, ['a=c'])).toBe(false);
    expect(matchesLabels({ a: 'b' }, ['constructor'])).toBe(false);
    expect(matchesLabels({ a: 'b' }, undefined)).toBe(true);
  });
});

describe('parsePortSpec', () => {
  const short = (spec: string) =>
    parsePortSpec(spec).map(({ port, hostIp, hostPort }) => `${hostIp}|${hostPort}|${port}`);

  test.each([
    ['80', ['||80/tcp']],
    ['80/udp', ['||80/udp']],
    ['8080:80', ['|8080|80/tcp']],
    ['127.0.0.1:8080:80/TCP', ['127.0.0.1|8080|80/tcp']],
    ['127.0.0.1::80', ['127.0.0.1||80/tcp']],
    ['[::1]:8080:80', ['::1|8080|80/tcp']],
    ['8000-8001:80-81', ['|8000|80/tcp', '|8001|81/tcp']],
    ['8000-8010:80', ['|8000-8010|80/tcp']],
    ['80-81', ['||80/tcp', '||81/tcp']],
  ])('%s', (spec, expected) => {
    expect(short(spec)).toEqual(expected);
  });

  test.each([
    ['', 'no port specified: <empty>'],
    ['8080:', 'no port specified: 8080:<empty>'],
    ['x', 'invalid containerPort: x'],
    ['90-80', 'invalid containerPort: 90-80'],
    ['70000', 'invalid containerPort: 70000'],
    ['x:80', 'invalid hostPort: x'],
    ['1.2.3:1:2', 'invalid IP address: 1.2.3'],
    ['80-82:1-5', 'invalid ranges specified for container and host Ports: 1-5 and 80-82'],
    ['80/foo', 'invalid proto: foo'],
  ])('%s is refused', (spec, text) => {
    expect(() => parsePortSpec(spec)).toThrow(text);
  });

  test('portMaps and parsePortKey', () => {
    expect(portMaps(parsePortSpec('127.0.0.1:1-2:80-81'))).toEqual({
      exposed: { '80/tcp': {}, '81/tcp': {} },
      bindings: {
        '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '1' }],
        '81/tcp': [{ HostIp: '127.0.0.1', HostPort: '2' }],
      },
    });
    expect(parsePortKey('80-81/udp')).toEqual([
      { containerPort: 80, protocol: 'udp' },
      { containerPort: 81, protocol: 'udp' },
    ]);
  });
});

describe('tryParseApiVersion', () => {
  test('reads the minor number, sorts other majors out', () => {
    expect(tryParseApiVersion('1.41')).toBe(41);
    expect(tryParseApiVersion('v1.24')).toBe(24);
    expect(tryParseApiVersion('1')).toBe(0);
    expect(tryParseApiVersion('2.0')).toBe(Number.POSITIVE_INFINITY);
    expect(tryParseApiVersion('0.9')).toBe(-1);
    expect(tryParseApiVersion('x')).toBeUndefined();
    expect(formatApiVersion(negotiateApiVersion(41))).toBe('1.41');
  });
});
