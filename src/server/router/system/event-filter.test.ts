import { describe, expect, test } from 'bun:test';
import type { EngineEvent } from '#base';
import { eventMatches } from './event-filter.ts';

const event = (changes: Partial<EngineEvent> = {}): EngineEvent => ({
  type: 'container',
  action: 'start',
  actorId: 'abcdef',
  attributes: { image: 'reg:5000/busybox:1', name: 'one', team: 'x' },
  timeNs: 1n,
  ...changes,
});

describe('eventMatches', () => {
  test.each([
    [{}, true],
    [{ type: ['container'] }, true],
    [{ type: ['image', 'network'] }, false],
    [{ event: ['die', 'start'] }, true],
    [{ event: ['die'] }, false],
    [{ container: ['one'] }, true],
    [{ container: ['abc'] }, true],
    [{ container: ['on'] }, true],
    [{ container: ['bcd'] }, false],
    [{ image: ['reg:5000/busybox'] }, true],
    [{ image: ['busybox'] }, false],
    [{ label: ['team=x'] }, true],
    [{ label: ['team=x', 'other'] }, false],
    [{ network: ['one'] }, false],
    [{ scope: ['local'] }, true],
    [{ scope: ['swarm'] }, false],
    [{ container: ['one'], event: ['die'] }, false],
    [{ unknown: ['x'] }, true],
  ])('%j is %p', (filters, expected) => {
    expect(eventMatches(event(), filters as never)).toBe(expected);
  });

  test('an action with details is found by its first part', () => {
    const health = event({ action: 'health_status: healthy' });
    expect(eventMatches(health, { event: ['health_status'] })).toBe(true);
    expect(eventMatches(event({ action: 'exec_create: sh' }), { event: ['exec'] })).toBe(false);
  });
});
