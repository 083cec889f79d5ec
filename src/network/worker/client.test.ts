import { afterEach, expect, test } from 'bun:test';
import { silentLogger } from '#base';
import type { KernelEvents, NetworkKernel } from '../kernel.ts';
import { createWorkerKernel } from './client.ts';

const MORTAL = new URL('./testdata/mortal-worker.ts', import.meta.url).href;
let kernel: NetworkKernel | undefined;
afterEach(() => kernel?.close());

function open(events: Partial<KernelEvents> = {}, url = MORTAL): NetworkKernel {
  kernel = createWorkerKernel({
    events: { onRulesDamaged: () => {}, onWatchLost: () => {}, onRestarted: () => {}, ...events },
    logger: silentLogger,
    url,
  });
  return kernel;
}

test('errors keep what they carry: errno of the kernel, code of ours', async () => {
  const worker = open();
  await expect(worker.applyRules('x')).rejects.toMatchObject({
    message: 'no table',
    code: 'ENOENT',
    errno: -2,
  });
  const spec = { name: 'b', address: undefined, mtu: 1500, create: true, isolated: false, exclusive: true };
  await expect(worker.ensureBridge(spec)).rejects.toMatchObject({
    name: 'GantryError',
    code: 'invalid_argument',
    message: 'not a bridge',
  });
});

test('events come through', async () => {
  const damaged = Promise.withResolvers<void>();
  const lost = Promise.withResolvers<string>();
  const events = { onRulesDamaged: damaged.resolve, onWatchLost: lost.resolve };
  await open(events).watchRules({ table: 't', intervalMs: 1 });
  await damaged.promise;
  expect(await lost.promise).toBe('EMFILE');
});

test.each(['exit', 'uncaught', 'unhandled rejection'] as const)(
  'a Worker that dies (%s) fails its calls and is replaced',
  async (how) => {
    const restarted = Promise.withResolvers<void>();
    const worker = open({ onRestarted: restarted.resolve });
    expect(await worker.pinnedNamespaces('x')).toEqual(['alive']);
    const dying = {
      exit: () => worker.removeSandbox('x'),
      uncaught: () => worker.hostFacts(),
      'unhandled rejection': () => worker.closePorts('x'),
    };
    await expect(dying[how]()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/^network worker ended: /),
    });
    await restarted.promise;
    expect(await worker.pinnedNamespaces('x')).toEqual(['alive']);
  },
);

test('a Worker that cannot load is reported, not started for ever', async () => {
  let restarts = 0;
  const worker = open(
    { onRestarted: () => restarts++ },
    new URL('./testdata/missing.ts', import.meta.url).href,
  );
  for (let attempt = 0; attempt < 2; attempt += 1) {
    await expect(worker.pinnedNamespaces('x')).rejects.toMatchObject({ code: 'unavailable' });
  }
  expect(restarts).toBe(0);
  kernel = undefined;
});
