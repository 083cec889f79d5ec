import { expect, test } from 'bun:test';
import { createEventBus } from '#base';
import { type EventRange, streamEvents } from './events.ts';

const ALL: EventRange = { sinceNs: undefined, untilNs: undefined, filters: {}, hides: () => false };

function openStream(range: Partial<EventRange> = {}) {
  const bus = createEventBus();
  const gone = new AbortController();
  const written: string[] = [];
  const gate = Promise.withResolvers<void>();
  let isStuck = false;
  const write = (text: string) => {
    written.push(text);
    return isStuck ? gate.promise : undefined;
  };
  const sink = { write: write as () => void, signal: gone.signal };
  const done = streamEvents(bus, { ...ALL, ...range }, sink, ({ action }) => action);
  return {
    ...{ bus, done, written, gone },
    stick: () => (isStuck = true),
    release: () => {
      isStuck = false;
      gate.resolve();
    },
    publish: (action: string) =>
      bus.publish({ type: 'container', action, actorId: 'a', attributes: { name: 'one' } }),
  };
}

test('a client that does not read is given up, not remembered for', async () => {
  const { bus, done, stick, publish } = openStream();
  stick();
  publish('start');
  await new Promise((resolve) => setImmediate(resolve));
  for (let count = 0; count < 1_100; count++) publish('start');
  const failure = await done.catch(String);
  expect(failure).toContain('the client does not read: 1024 events wait for it');
  expect(bus.listenerCount).toBe(0);
});

test('a burst is no reason to give up a client that reads', async () => {
  const { done, written, publish, gone } = openStream();
  for (let count = 0; count < 2_000; count++) publish('start');
  await new Promise((resolve) => setImmediate(resolve));
  expect(written.length).toBe(2_000);
  gone.abort();
  await done;
});

test('what a client does not want does not count; one that reads late gets all', async () => {
  const { done, written, stick, publish, release, gone } = openStream({ filters: { event: ['start'] } });
  stick();
  publish('start');
  for (let count = 0; count < 2_000; count++) publish('die');
  for (let count = 0; count < 1_000; count++) publish('start');
  await new Promise((resolve) => setImmediate(resolve));
  expect(written).toEqual(['start']);
  release();
  await new Promise((resolve) => setImmediate(resolve));
  expect(written.length).toBe(1_001);
  gone.abort();
  await done;
});
