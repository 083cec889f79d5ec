import { describe, expect, test } from 'bun:test';
import { notFound } from '#base';
import { containerMatcher, type FilterContext } from './filters.ts';
import type { Container } from './model.ts';

const ONE = {
  id: 'abc',
  name: 'one',
  created: '2026-01-02T00:00:00Z',
  config: { labels: { a: 'b' }, image: 'busybox', exposedPorts: ['80/tcp', '81/udp'] },
  state: { status: 'exited', exitCode: 3 },
  portRequests: [{ hostPort: 8080, protocol: 'tcp' }],
  mounts: [],
} as unknown as Container;

const CONTEXT: FilterContext = {
  resolve: (ref) => {
    if (ref !== 'older') throw notFound(`No such container: ${ref}`);
    return { ...ONE, created: '2026-01-01T00:00:00Z' };
  },
  imageId: () => undefined,
  networksOf: () => ({ names: ['bridge'], ids: ['0123456789ab'] }),
};

test.each([
  [{ status: ['created', 'exited'] }, true],
  [{ exited: ['3'] }, true],
  [{ name: ['(?i)ON'] }, true],
  [{ name: ['^/one$'] }, true],
  [{ name: ['n[e]'] }, true],
  [{ name: ['two', 'on'] }, true],
  [{ name: ['['] }, false],
  [{ id: ['^a.c$'] }, true],
  [{ network: ['bridge'] }, true],
  [{ network: ['0123'] }, true],
  [{ network: ['brid'] }, false],
  [{ network: ['123'] }, false],
  [{ exited: ['0'] }, false],
  [{ since: ['older'] }, true],
  [{ before: ['older'] }, false],
  [{ publish: ['8080'] }, true],
  [{ publish: ['8000-8100/tcp'] }, true],
  [{ publish: ['8080/udp'] }, false],
  [{ expose: ['79-81'] }, true],
  [{ expose: ['81'] }, false],
  [{ expose: ['81/udp'] }, true],
  [{ health: ['none'] }, true],
  [{ 'is-task': ['false'] }, true],
  [{ 'is-task': ['true'] }, false],
  [{ isolation: ['anything'] }, true],
  [{ name: [] }, true],
])('%j is %p', (filters, expected) => {
  expect(containerMatcher(filters, CONTEXT)(ONE)).toBe(expected);
});

describe('is refused also when there is nothing to compare', () => {
  test.each([
    [{ nope: ['x'] }, "invalid filter 'nope'"],
    [{ nope: [] }, "invalid filter 'nope'"],
    [
      { status: ['nope'] },
      "invalid filter 'status=nope': invalid value for state (nope): must be one of created, running, paused, restarting, removing, exited, dead",
    ],
    [
      { health: ['nope'] },
      "invalid filter 'health=nope': invalid value for health (nope): must be one of none, starting, healthy, unhealthy",
    ],
    [{ exited: ['x'] }, 'invalid filter \'exited=x\': strconv.Atoi: parsing "x": invalid syntax'],
    [{ 'is-task': ['x'] }, "invalid filter 'is-task=[x]'"],
    [{ constructor: ['x'] }, "invalid filter 'constructor'"],
    [{ before: ['nope'] }, 'No such container: nope'],
    [{ since: ['nope'] }, 'No such container: nope'],
    [
      { publish: ['nope'] },
      "error while looking up for publish nope: invalid start port 'nope': invalid syntax",
    ],
    [{ publish: ['1:2'] }, "filter for 'publish' should not contain ':': 1:2"],
    [{ expose: ['80-7'] }, 'error while looking up for expose 80-7: invalid port range: 80-7'],
  ])('%j', (filters, message) => {
    expect(() => containerMatcher(filters, CONTEXT)).toThrow(
      expect.objectContaining({ code: 'invalid_argument', message }),
    );
  });
});

test('a pattern that is meant to hold the daemon up does not', () => {
  const name = 'a'.repeat(120);
  const matches = containerMatcher({ name: ['^(a+)+b$'] }, CONTEXT);
  expect(matches({ ...ONE, name })).toBe(false);
});
