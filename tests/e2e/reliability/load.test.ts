import { describe, expect, test } from 'bun:test';
import { givenHost, type TestDaemon } from '../../harness/daemon.ts';
import { useEngine } from '../../harness/fixture.ts';
import { gantryClient as client } from '../../harness/programs.ts';
import { logMuch } from '../../reliability/big-logs.ts';
import { describeLatency, printFigure } from '../../reliability/figures.ts';
import { restartAll } from '../../reliability/restart-storm.ts';

const engine = useEngine({ flags: ['--log-level', 'info'] });

function own(): TestDaemon {
  if (engine.daemon === undefined) throw new Error('this test needs a daemon of its own');
  return engine.daemon;
}

describe.skipIf(givenHost() !== undefined)('much at once (long forms: make soak)', () => {
  test('R17: 32 MB without a newline, a slow follower, garbled logs', async () => {
    const report = await logMuch({ daemon: own(), client, megabytes: 32 });
    for (const [phase, growth] of Object.entries(report.growthMb))
      printFigure('R17', `growth: ${phase}`, `${growth} MB`);
    expect(report.problems).toEqual([]);
    expect(Object.entries(report.growthMb).filter(([, growth]) => growth > 64)).toEqual([]);
  }, 180_000);

  test('R15: a power cut with 20 always-restart containers', async () => {
    const report = await restartAll({ daemon: own(), client, containers: 20 });
    const { firstAnswerMs, allUpMs, latenciesMs } = report;
    printFigure(
      'R15',
      '20 containers after a power cut',
      `first answer ${firstAnswerMs.toFixed(0)} ms, all up ${allUpMs.toFixed(0)} ms`,
    );
    printFigure('R15', 'ps meanwhile', describeLatency(latenciesMs));
    expect(report.problems).toEqual([]);
  }, 180_000);
});
