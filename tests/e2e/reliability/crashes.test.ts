import { describe, expect, test } from 'bun:test';
import { givenHost, type TestDaemon } from '../../harness/daemon.ts';
import { useEngine } from '../../harness/fixture.ts';
import { gantryClient as client, must } from '../../harness/programs.ts';
import { printFigure } from '../../reliability/figures.ts';
import { killInAllOrders } from '../../reliability/lost-processes.ts';
import { restartWithPublishedPorts } from '../../reliability/published-ports.ts';
import { cutPower } from '../../reliability/restart-storm.ts';

const engine = useEngine();

function own(): TestDaemon {
  if (engine.daemon === undefined) throw new Error('this test needs a daemon of its own');
  return engine.daemon;
}

describe.skipIf(givenHost() !== undefined)('what dies unseen (long forms: make soak)', () => {
  test('R5: daemon, monitor and workload killed in all orders', async () => {
    const report = await killInAllOrders({ daemon: own(), client, rounds: 2 });
    const { orders, codesKnown, codesUnknown } = report;
    printFigure('R5', 'orders', `${orders}; exit code known ${codesKnown}, marked unknown ${codesUnknown}`);
    expect(report.problems).toEqual([]);
  }, 180_000);

  test('a power cut: the end that nobody saw is marked, in inspect and in the events', async () => {
    const since = Math.floor(Date.now() / 1000) - 1;
    const { host } = engine;
    const id = await must(client, ['run', '-d', 'busybox', 'sleep', '1000'], { host });
    await cutPower(own());
    await own().restart();
    const state = '{{.State.Status}} {{.State.ExitCode}} {{.State.Error}}';
    const mark = 'exit status unknown: nothing was left of the run';
    expect(await must(client, ['inspect', '-f', state, id], { host })).toStartWith(`exited 255 ${mark}`);
    const format = '{{index .Actor.Attributes "exitCode"}} {{index .Actor.Attributes "gantry.exit.error"}}';
    const flags = ['--since', String(since), '--until', '0s', '--filter', 'event=die', '--format', format];
    const died = await must(client, ['events', '--filter', `container=${id}`, ...flags], { host });
    expect(died).toStartWith(`255 ${mark}`);
    await must(client, ['rm', id], { host });
  }, 60_000);

  test('R8: 30 published ports, 5 kills of the daemon', async () => {
    const report = await restartWithPublishedPorts({ daemon: own(), client, ports: 30, restarts: 5 });
    printFigure(
      'R8',
      `problems with ${report.ports} ports over ${report.restarts} restarts`,
      String(report.problems.length),
    );
    expect(report.problems).toEqual([]);
  }, 180_000);
});
