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
    [{ container: [''] }, true],
    [{ container: ['two', ''] }, true],
    [{ network: ['one'] }, true],
    [{ network: ['two'] }, false],
    [{ image: [''] }, false],
    [{ image: ['abcdef'] }, true],
    [{ event: ['star'] }, false],
    [{ event: ['star', 'exec_create'] }, true],
    [{ scope: ['local'] }, true],
    [{ scope: ['swarm'] }, false],
    [{ container: ['one'], event: ['die'] }, false],
    [{ image: ['reg:5000'] }, false],
    [{ label: ['constructor'] }, false],
    [{ constructor: ['x'] }, true],
    [{ toString: ['x'] }, true],
    [{ unknown: ['x'] }, true],
  ])('%j is %p', (filters, expected) => {
    expect(eventMatches(event(), filters as never)).toBe(expected);
  });

  test('an object key takes whatever is called so, as docker does', () => {
    const network = event({ type: 'network', actorId: 'fedcba', attributes: { name: 'web_net' } });
    expect(eventMatches(network, { container: ['web'] })).toBe(true);
    expect(eventMatches(network, { container: ['web'], type: ['container'] })).toBe(false);
    expect(eventMatches(network, { container: [''] })).toBe(true);
  });

  test('an image by digest is found by its name', () => {
    const pulled = event({ type: 'image', attributes: { name: `busybox@sha256:${'a'.repeat(64)}` } });
    expect(eventMatches(pulled, { image: ['busybox'] })).toBe(true);
  });

  test('an action with details is found by its first part', () => {
    const health = event({ action: 'health_status: healthy' });
    expect(eventMatches(health, { event: ['health_status'] })).toBe(true);
    expect(eventMatches(event({ action: 'exec_create: sh' }), { event: ['exec'] })).toBe(false);
  });
});
