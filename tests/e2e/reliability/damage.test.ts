import { describe, expect, test } from 'bun:test';
import { givenHost } from '../../harness/daemon.ts';
import { useEngine } from '../../harness/fixture.ts';
import { gantryClient as client } from '../../harness/programs.ts';
import { damageState } from '../../reliability/damaged-state.ts';
import { printFigure } from '../../reliability/figures.ts';

const engine = useEngine();

describe.skipIf(givenHost() !== undefined)('R10: damaged state files (all ways: make soak)', () => {
  test('each kind of file emptied, garbled or cut: the daemon starts, works and reports', async () => {
    if (engine.daemon === undefined) throw new Error('this test needs a daemon of its own');
    const report = await damageState({
      daemon: engine.daemon,
      client,
      damages: ['emptied', 'garbled', 'cut in half'],
      every: 2,
    });
    printFigure('R10', 'damaged files', `${report.cases} cases, ${report.silent.length} silent`);
    expect(report.problems).toEqual([]);
    expect(report.silent).toEqual([]);
    expect(report.cases).toBeGreaterThan(20);
  }, 180_000);
});
