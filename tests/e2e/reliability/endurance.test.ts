import { describe, expect, test } from 'bun:test';
import { givenHost, type TestDaemon } from '../../harness/daemon.ts';
import { useEngine } from '../../harness/fixture.ts';
import { gantryClient as client } from '../../harness/programs.ts';
import { dropAttaches, dropSilentAttaches, dropUnreadInput } from '../../reliability/attach-drops.ts';
import { churn } from '../../reliability/churn.ts';
import { type Footprint, printFigure } from '../../reliability/figures.ts';
import { cycleWithForeignNamespaces } from '../../reliability/mount-leaks.ts';

const engine = useEngine({ flags: ['--log-level', 'info'] });

function own(): TestDaemon {
  if (engine.daemon === undefined) throw new Error('this test needs a daemon of its own');
  return engine.daemon;
}

const growth = (before: Footprint, after: Footprint): string =>
  `${(after.rssMb - before.rssMb).toFixed(1)} MB, ${after.files - before.files} descriptors, ` +
  `${after.processes - before.processes} processes (${after.rssMb} MB, ${after.files}, ${after.processes} at the end)`;

describe.skipIf(givenHost() !== undefined)('nothing grows (long forms: make soak)', () => {
  test('S17: 500 attaches and execs whose clients drop the connection', async () => {
    const { before, after } = await dropAttaches({ daemon: own(), client, count: 500, parallel: 8 });
    printFigure('S17', 'growth over 500 dropped attaches', growth(before, after));
    expect(after.files - before.files).toBeLessThanOrEqual(4);
    expect(after.processes).toBeLessThanOrEqual(before.processes);
    expect(after.rssMb - before.rssMb).toBeLessThan(32);
  }, 120_000);

  test('S17: 40 clients attached to a silent container vanish', async () => {
    const { before, attached, after } = await dropSilentAttaches({ daemon: own(), client, count: 40 });
    const files = `${before.files} before, ${attached.files} attached, ${after.files} after`;
    printFigure('S17', 'descriptors of 40 clients of a silent container', files);
    expect(attached.files - before.files).toBeGreaterThanOrEqual(40);
    expect(after.files - before.files).toBeLessThanOrEqual(2);
  }, 60_000);

  test('S17: 2,500 clients leave input that the container does not read', async () => {
    const { before, after } = await dropUnreadInput({ daemon: own(), client, count: 2500, parallel: 8 });
    printFigure('S17', 'growth over 2,000 clients with input that nobody reads', growth(before, after));
    expect(after.files - before.files).toBeLessThanOrEqual(4);
    expect(after.rssMb - before.rssMb).toBeLessThan(24);
  }, 120_000);

  test('R20: 100 runs and 400 execs', async () => {
    const report = await churn({ daemon: own(), client, runs: 100, execs: 400, parallel: 4 });
    printFigure('R20', 'growth over 100 runs and 400 execs', growth(report.before, report.after));
    expect(report.failures).toEqual([]);
    expect(report.after.processes).toBeLessThanOrEqual(report.before.processes);
    expect(report.after.files - report.before.files).toBeLessThanOrEqual(4);
    expect(report.after.rssMb - report.before.rssMb).toBeLessThan(48);
  }, 120_000);

  test('R6: 20 cycles beside foreign mount namespaces leave no mount and no directory', async () => {
    const report = await cycleWithForeignNamespaces({ daemon: own(), client, cycles: 20 });
    printFigure('R6', 'mounts and directories left after 20 cycles', String(report.left.length));
    expect(report.left).toEqual([]);
  }, 120_000);
});
