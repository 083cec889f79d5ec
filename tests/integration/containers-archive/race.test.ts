import { expect, test } from 'bun:test';
import { raceCopies } from './race.ts';

const SHORT_MS = 2000;

test('no race leads a copy out of the container', async () => {
  const result = await raceCopies(SHORT_MS);
  const copies = Object.values(result.copies).reduce((sum, count) => sum + count, 0);
  console.log(
    `${copies} copies in ${SHORT_MS} ms, ${result.redirected} redirected within the container, ` +
      `0 out of it; plain file access was led out ${result.naiveEscapes} times`,
  );
  expect(result.escapes).toEqual([]);
  // Else nothing was tested.
  expect(result.naiveEscapes).toBeGreaterThan(0);
  expect(result.redirected).toBeGreaterThan(0);
}, 30_000);
