import { expect, test } from 'bun:test';
import { silentLogger } from '#base';
import { createMemoryMetadataStore } from '../testing/index.ts';
import { LostRows, lostRowsIn } from './lost-rows.ts';

const isId = (key: string): key is string => key.length === 1;

function openLost(
  metadata: ReturnType<typeof createMemoryMetadataStore>,
  isGivenUp?: (id: string) => boolean,
): LostRows<string> {
  const rows = lostRowsIn(metadata, 'things');
  return new LostRows({
    ...{ collection: 'things', rows, metadata, isId, logger: silentLogger },
    ...(isGivenUp ? { isGivenUp } : {}),
  });
}

test('what was lost is known to the next one as well, until it is given up', () => {
  const metadata = createMemoryMetadataStore();
  const first = openLost(metadata);
  first.add('a', 'garbled');
  first.add('b', 'gone');
  first.add('b', 'gone twice');
  expect(first.all()).toEqual([
    ['a', { reason: 'garbled' }],
    ['b', { reason: 'gone' }],
  ]);
  first.forget('a');
  first.forget('never there');
  expect(openLost(metadata).all()).toEqual([['b', { reason: 'gone' }]]);
  expect(openLost(metadata, (id) => id === 'b').has('b')).toBe(false);
  expect(openLost(metadata).all()).toEqual([]);
});

test('a note that cannot be written is known all the same', () => {
  const metadata = createMemoryMetadataStore();
  const rows = {
    ...lostRowsIn(metadata, 'things'),
    entries: () => [],
    put: () => {
      throw new Error('no space left on device');
    },
  };
  const lost = new LostRows({ collection: 'things', rows, metadata, isId, logger: silentLogger });
  lost.add('a', 'garbled');
  expect(lost.has('a')).toBe(true);
});
