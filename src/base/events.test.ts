import { describe, expect, test } from 'bun:test';
import { createEventBus } from './events.ts';

const event = (action: string) => ({ type: 'container' as const, action, actorId: 'c', attributes: {} });

describe('createEventBus', () => {
  test('times grow strictly even when the clock stands still', () => {
    const bus = createEventBus({ nowNs: () => 5n });
    expect([bus.publish(event('a')), bus.publish(event('b'))].map(({ timeNs }) => timeNs)).toEqual([5n, 6n]);
  });

  test('`history`: bounded, newest kept, range inclusive', () => {
    let now = 0n;
    const bus = createEventBus({ ringSize: 3, nowNs: () => ++now });
    for (const action of ['a', 'b', 'c', 'd']) bus.publish(event(action));
    expect(bus.history().map(({ action }) => action)).toEqual(['b', 'c', 'd']);
    expect(bus.history({ sinceNs: 3n, untilNs: 3n }).map(({ action }) => action)).toEqual(['c']);
  });

  test('`subscribe`: live until disposed; a throwing listener does not hurt the others', () => {
    const bus = createEventBus();
    const seen: string[] = [];
    bus.subscribe(() => {
      throw new Error('bad listener');
    });
    const subscription = bus.subscribe(({ action }) => void seen.push(action));
    bus.publish(event('a'));
    expect(bus.listenerCount).toBe(1);
    subscription[Symbol.dispose]();
    bus.publish(event('b'));
    expect(seen).toEqual(['a']);
  });
});
