import { describe, expect, test } from 'bun:test';
import { givenHost, startDaemon } from '../../harness/daemon.ts';
import { gantryClient as client, must } from '../../harness/programs.ts';
import { fillDisk, takeDescriptors } from '../../reliability/exhausted.ts';
import { printFigure } from '../../reliability/figures.ts';

describe.skipIf(givenHost() !== undefined)('what the machine has not', () => {
  test.each(['space', 'inodes'] as const)(
    'no %s left on the data root',
    async (resource) => {
      const report = await fillDisk(client, resource);
      for (const refusal of report.refusals) printFigure('full disk', `refused without ${resource}`, refusal);
      expect(report.problems).toEqual([]);
      expect(report.refusals.length).toBeGreaterThan(0);
    },
    120_000,
  );

  test('no descriptors left in the daemon', async () => {
    await using daemon = await startDaemon({ flags: ['--log-level', 'info'] });
    await must(client, ['image', 'bootstrap', 'busybox'], { host: daemon.host });
    const report = await takeDescriptors(daemon, client);
    for (const refusal of report.refusals) printFigure('descriptors', 'refused', refusal);
    expect(report.problems).toEqual([]);
  }, 180_000);
});
