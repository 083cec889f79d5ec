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
    const { cases, told, silent } = report;
    printFigure('R10', 'damaged files', `${cases} cases, ${told} told of, ${silent.length} silent`);
    expect(report.problems).toEqual([]);
    expect(silent).toEqual([]);
    expect(cases).toBeGreaterThan(20);
    expect(told).toBeGreaterThan(10);
  }, 180_000);
});
