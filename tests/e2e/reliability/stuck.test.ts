import { afterAll, describe, expect, test } from 'bun:test';
import { givenHost } from '../../harness/daemon.ts';
import { useEngine } from '../../harness/fixture.ts';
import { gantryClient as client } from '../../harness/programs.ts';
import { describeLatency, printFigure } from '../../reliability/figures.ts';
import { createFreezableRuntime, workBesideStuckParts } from '../../reliability/stuck-parts.ts';

const runtime = createFreezableRuntime();
const engine = useEngine({ flags: runtime.flags });
afterAll(() => runtime[Symbol.dispose]());

describe.skipIf(givenHost() !== undefined)('R4: what is stuck holds up nothing else', () => {
  test('runtime, monitor, readers and a paused container at once', async () => {
    if (engine.daemon === undefined) throw new Error('this test needs a daemon of its own');
    const report = await workBesideStuckParts({ daemon: engine.daemon, client, runtime, rounds: 5 });
    for (const [what, values] of Object.entries(report.latencies))
      printFigure('R4', what, describeLatency(values));
    expect(report.problems).toEqual([]);
  }, 180_000);
});
