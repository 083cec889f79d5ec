import { expect, test } from 'bun:test';
import { silentLogger } from '#base';
import { createMemoryMetadataStore } from '../testing/memory-metadata-store.ts';
import { type EventLogOptions, openEventLog } from './event-log.ts';

const DAY_MS = 86_400_000;
const options = (changes: Partial<EventLogOptions> = {}): EventLogOptions => ({
  metadata: createMemoryMetadataStore(),
  logger: silentLogger,
  delayMs: DAY_MS,
  ...changes,
});
const event = (actorId: string) =>
  ({ type: 'container', action: 'start', actorId, attributes: { name: actorId } }) as const;
const idsOf = (log: ReturnType<typeof openEventLog>) => log.bus.history().map(({ actorId }) => actorId);

test('openEventLog: an orderly end keeps every event, times go on increasing', () => {
  const given = options();
  const log = openEventLog(given);
  log.bus.publish(event('a'));
  const last = log.bus.publish(event('b'));
  log.close();
  const next = openEventLog(given);
  expect(next.bus.history()).toEqual([expect.objectContaining(event('a')), last]);
  expect(next.bus.publish(event('c')).timeNs).toBeGreaterThan(last.timeNs);
  expect(next.bus.listenerCount).toBe(0);
});

test('openEventLog: without an end a whole batch is kept, the rest is lost', () => {
  const given = options({ batchSize: 3 });
  const log = openEventLog(given);
  for (const id of ['a', 'b', 'c', 'd']) log.bus.publish(event(id));
  expect(idsOf(openEventLog(given))).toEqual(['a', 'b', 'c']);
});

test('openEventLog: what waits is written after the delay', async () => {
  const given = options({ delayMs: 1 });
  openEventLog(given).bus.publish(event('a'));
  const rows = given.metadata.collection('events', (stored) => stored);
  while (rows.entries().length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  expect(idsOf(openEventLog(given))).toEqual(['a']);
});

test('openEventLog: bounded in memory and in the store', () => {
  const given = options({ batchSize: 2, capacity: 5 });
  const log = openEventLog(given);
  for (let n = 0; n < 20; n += 1) log.bus.publish(event(String(n)));
  log.close();
  const rows = given.metadata.collection('events', (stored) => stored as unknown[]);
  expect(rows.entries().flatMap(([, batch]) => batch).length).toBeLessThanOrEqual(6);
  expect(idsOf(openEventLog(given))).toEqual(['15', '16', '17', '18', '19']);
});

test('openEventLog: a store that fails costs the events, not the engine', () => {
  const metadata = createMemoryMetadataStore();
  const log = openEventLog(
    options({
      metadata: {
        ...metadata,
        collection: metadata.collection.bind(metadata),
        transaction: () => {
          throw new Error('disk full');
        },
      } as EventLogOptions['metadata'],
      batchSize: 1,
    }),
  );
  expect(log.bus.publish(event('a')).actorId).toBe('a');
  expect(idsOf(log)).toEqual(['a']);
});
