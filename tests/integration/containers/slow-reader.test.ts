import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createRequestFixture } from '#containers/testing';
import { SLOWNESS } from '../../harness/slowness.ts';
import { createMachine, type Machine, type RealEngine } from './engine.ts';

/** `GANTRY_SOAK=1`: the full gigabyte of R16. */
const MEGABYTES = process.env['GANTRY_SOAK'] ? 1024 : 64;
const MB = 1024 * 1024;
/** What the daemon's memory may grow by while a client lags behind. */
const MAX_GROWTH = 96 * MB;

let machine: Machine;
let engine: RealEngine;
beforeAll(async () => {
  machine = createMachine();
  engine = await machine.open();
}, 60_000 * SLOWNESS);
afterAll(async () => {
  await machine[Symbol.asyncDispose]();
}, 60_000 * SLOWNESS);

test(
  `R16: ${MEGABYTES} MB through a reader that pauses arrive byte by byte, in bounded memory`,
  async () => {
    const script = `yes 0123456789abcde | head -c ${MEGABYTES * MB}`;
    const { id } = await engine.containers.create(
      createRequestFixture({ config: { cmd: ['sh', '-c', script] }, hostConfig: { autoRemove: true } }),
    );
    const unit = Buffer.from('0123456789abcde\n');
    let received = 0;
    let isRight = true;
    const resume = Promise.withResolvers<void>();
    const attached = engine.containers
      .attach(id, { stdin: false, stdout: true, stderr: true, logs: false, stream: true, detachKeys: '' })
      .run({
        input: undefined,
        signal: new AbortController().signal,
        async write({ data }) {
          isRight &&= isPattern(data, received, unit);
          received += data.length;
          // The first chunk stops the client until the process has ended: everything else must wait somewhere.
          await resume.promise;
        },
      });
    Bun.gc(true);
    const before = process.memoryUsage.rss();
    const { exit } = engine.containers.wait(id, 'next-exit');
    await engine.containers.start(id);
    expect(await exit).toEqual({ exitCode: 0 });
    Bun.gc(true);
    expect(process.memoryUsage.rss() - before).toBeLessThan(MAX_GROWTH);
    resume.resolve();
    await attached;
    expect(received).toBe(MEGABYTES * MB);
    expect(isRight).toBe(true);
  },
  300_000 * SLOWNESS,
);

/** Whether `data` continues the endless repetition of `unit` at `offset`. */
function isPattern(data: Uint8Array, offset: number, unit: Buffer): boolean {
  const start = offset % unit.length;
  const expected = Buffer.alloc(data.length + unit.length, unit).subarray(start, start + data.length);
  return Buffer.compare(data, expected) === 0;
}
