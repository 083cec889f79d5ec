import { afterAll, beforeAll, expect, test } from 'bun:test';
import { Semaphore } from '#base';
import { createFakeClient, createRequestFixture } from '#containers/testing';
import { createMachine, type Machine, type RealEngine } from './engine.ts';

/** `GANTRY_SOAK=1`: the ten thousand of R16. */
const RUNS = process.env['GANTRY_SOAK'] ? 10_000 : 100;
const PARALLEL = 8;

let machine: Machine;
let engine: RealEngine;
beforeAll(async () => {
  machine = createMachine();
  engine = await machine.open();
}, 60_000);
afterAll(async () => {
  await machine[Symbol.asyncDispose]();
}, 60_000);

async function shortRun(number: number): Promise<{ output: string; exitCode: number }> {
  const { containers } = engine;
  const { id } = await containers.create(
    createRequestFixture({
      config: { cmd: ['sh', '-c', `echo out ${number}; echo err ${number} >&2; exit ${number % 100}`] },
      hostConfig: { autoRemove: true, networkMode: number % 2 === 0 ? 'none' : 'default' },
    }),
  );
  const client = createFakeClient();
  const attached = containers
    .attach(id, { stdin: false, stdout: true, stderr: true, logs: false, stream: true, detachKeys: '' })
    .run(client);
  const { exit } = containers.wait(id, 'removed');
  await containers.start(id);
  const { exitCode } = await exit;
  await attached;
  return { output: client.output.split('\n').sort().join(' '), exitCode };
}

test(`R16: ${RUNS} short --rm runs, ${PARALLEL} at a time, lose no byte and no exit code`, async () => {
  const slots = new Semaphore(PARALLEL);
  const runs = Array.from({ length: RUNS }, (_, number) => slots.run(() => shortRun(number)));
  const results = await Promise.all(runs);
  const expected = results.map((_, number) => ({
    output: ` err ${number} out ${number}`,
    exitCode: number % 100,
  }));
  expect(results).toEqual(expected);
  expect(engine.containers.list({ all: true })).toEqual([]);
  expect(engine.runtime.leftovers()).toEqual([]);
  expect(engine.snapshotter.snapshots()).toEqual([]);
}, 1_800_000);
