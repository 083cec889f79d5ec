import { describe, expect, test } from 'bun:test';
import { familiarName, joinReference, listFilters, pruneOptions, readCredentials } from './input.ts';

test.each([
  ['docker.io/library/busybox:latest', 'busybox:latest'],
  ['docker.io/me/app:1', 'me/app:1'],
  ['docker.io/library/a/b:1', 'library/a/b:1'],
  ['reg:5000/x@sha256:1', 'reg:5000/x@sha256:1'],
])('familiarName: %s is %s', (canonical, familiar) => {
  expect(familiarName(canonical)).toBe(familiar);
});

test('joinReference: tag, digest, none', () => {
  expect(joinReference('a', '1')).toBe('a:1');
  expect(joinReference('a', 'sha256:1')).toBe('a@sha256:1');
  expect(joinReference('a', '')).toBe('a');
  expect(joinReference('', 'x')).toBe('');
});

describe('filters', () => {
  test('of a list', () => {
    expect(listFilters({ dangling: ['true'], label: ['a=b'], until: ['100'] })).toEqual({
      dangling: true,
      label: ['a=b'],
      untilMs: 100_000,
    });
    expect(listFilters({ until: ['1h'] }).untilMs).toBeLessThan(Date.now() - 3_599_000);
    expect(() => listFilters({ zz: ['a'] })).toThrow("invalid filter 'zz'");
    expect(() => listFilters({ dangling: ['a'] })).toThrow("invalid filter 'dangling=[a]'");
    expect(() => listFilters({ until: ['x'] })).toThrow("invalid filter 'until=[x]'");
  });

  test('every key of a list reaches the images, with all its values', () => {
    expect(
      listFilters({
        before: ['a', 'b'],
        since: ['c', 'd'],
        label: ['x', 'y=1'],
        'label!': ['keep', 'z=2'],
        reference: ['busybox', 'me/*'],
        dangling: ['0'],
        until: ['200', '100'],
      }),
    ).toEqual({
      before: ['a', 'b'],
      since: ['c', 'd'],
      label: ['x', 'y=1'],
      notLabel: ['keep', 'z=2'],
      reference: ['busybox', 'me/*'],
      dangling: false,
      untilMs: 100_000,
    });
  });

  test('every key of a prune reaches the images; several times are refused', () => {
    expect(pruneOptions({ label: ['x'], 'label!': ['keep'], until: ['100'], dangling: ['true'] })).toEqual({
      all: false,
      filters: { label: ['x'], notLabel: ['keep'], untilMs: 100_000 },
    });
    expect(() => pruneOptions({ until: ['1h', '2h'] })).toThrow('more than one until filter specified');
  });

  test('of prune: `dangling=false` is all', () => {
    expect(pruneOptions({ dangling: ['false'] })).toEqual({ all: true, filters: {} });
    expect(pruneOptions({})).toEqual({ all: false, filters: {} });
    expect(() => pruneOptions({ reference: ['a'] })).toThrow("invalid filter 'reference'");
  });
});

test('readCredentials: unreadable ones count as none', () => {
  const header = Buffer.from('{"username":"u","password":"p"}').toString('base64url');
  expect(readCredentials(header)).toMatchObject({ username: 'u', password: 'p' });
  expect(readCredentials('%%%')).toBeUndefined();
  expect(readCredentials(undefined)).toBeUndefined();
});
