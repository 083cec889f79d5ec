import { expect, test } from 'bun:test';
import { MeasuredSizes } from './measured-sizes.ts';

/** Sizes whose measurements the test ends. */
function scene(options: { readonly patienceMs?: number } = {}) {
  const measured: { key: string; resolve(bytes: number): void; reject(error: Error): void }[] = [];
  let nowMs = 0;
  const sizes = new MeasuredSizes({
    measure: (key) => {
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      measured.push({ key, resolve, reject });
      return promise;
    },
    freshMs: 100,
    patienceMs: 1,
    now: () => nowMs,
    ...options,
  });
  const measure = async (key: string, isChanging: boolean, bytes: number) => {
    const size = sizes.get(key, { isChanging });
    await Promise.resolve();
    measured.at(-1)?.resolve(bytes);
    return await size;
  };
  return { sizes, measured, measure, advance: (ms: number) => (nowMs += ms) };
}

test('MeasuredSizes: what stands still is measured once, until it is touched', async () => {
  const { sizes, measured, measure, advance } = scene({ patienceMs: 10_000 });
  expect(await measure('a', false, 5)).toBe(5);
  advance(1e9);
  expect(await sizes.get('a', { isChanging: false })).toBe(5);
  sizes.touch('a');
  expect(await measure('a', false, 6)).toBe(6);
  expect(measured).toHaveLength(2);
});

test('MeasuredSizes: what changes is measured again after a while, and once more when it stands still', async () => {
  const { sizes, measured, measure, advance } = scene({ patienceMs: 10_000 });
  expect(await measure('a', true, 5)).toBe(5);
  advance(99);
  expect(await sizes.get('a', { isChanging: true })).toBe(5);
  advance(1);
  expect(await measure('a', true, 7)).toBe(7);
  expect(await measure('a', false, 8)).toBe(8);
  expect(measured).toHaveLength(3);
});

test('MeasuredSizes: nobody waits long for a new size; all share one measurement', async () => {
  const { sizes, measured, measure, advance } = scene();
  await measure('a', true, 5);
  advance(100);
  expect(await Promise.all([1, 2, 3].map(() => sizes.get('a', { isChanging: true })))).toEqual([5, 5, 5]);
  expect(measured).toHaveLength(2);
  measured[1]?.resolve(9);
  await Bun.sleep(0);
  expect(await sizes.get('a', { isChanging: true })).toBe(9);
});

test('MeasuredSizes: a failure is told only where nothing is known', async () => {
  const { sizes, measured, measure } = scene({ patienceMs: 10_000 });
  const first = sizes.get('a', { isChanging: false });
  await Promise.resolve();
  measured[0]?.reject(new Error('gone'));
  await expect(first).rejects.toThrow('gone');
  await measure('a', false, 5);
  sizes.touch('a');
  const next = sizes.get('a', { isChanging: false });
  await Promise.resolve();
  measured.at(-1)?.reject(new Error('gone'));
  expect(await next).toBe(5);
  sizes.forget('a');
  void sizes.get('a', { isChanging: false }).catch(() => {});
  await Promise.resolve();
  expect(measured).toHaveLength(4);
});

test('MeasuredSizes: what is touched during its first measurement is measured again', async () => {
  const { sizes, measured, measure } = scene({ patienceMs: 10_000 });
  const first = sizes.get('a', { isChanging: false });
  await Promise.resolve();
  sizes.touch('a');
  measured[0]?.resolve(5);
  expect(await first).toBe(5);
  expect(await measure('a', false, 6)).toBe(6);
  expect(await sizes.get('a', { isChanging: false })).toBe(6);
  expect(measured).toHaveLength(2);
});

test('MeasuredSizes: what is forgotten during a measurement stays forgotten, and a new one has its own size', async () => {
  const { sizes, measured, measure } = scene({ patienceMs: 10_000 });
  const first = sizes.get('a', { isChanging: false });
  await Promise.resolve();
  sizes.forget('a');
  // The same key names something else by now.
  expect(await measure('a', false, 7)).toBe(7);
  measured[0]?.resolve(5);
  expect(await first).toBe(5);
  expect(await sizes.get('a', { isChanging: false })).toBe(7);
  expect(measured).toHaveLength(2);
});
