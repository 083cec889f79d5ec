import { describe, expect, test } from 'bun:test';
import { useEngine } from '../../harness/fixture.ts';
import { allClients } from '../../harness/programs.ts';
import { crashRepeatedly } from '../../reliability/daemon-crashes.ts';
import { shortRuns } from '../../reliability/short-runs.ts';
import { slowReader } from '../../reliability/slow-reader.ts';

const engine = useEngine();
const [client] = allClients();
if (client === undefined) throw new Error('no client program on this machine');

describe('reliability, short forms (long ones: make soak)', () => {
  test('R16: 300 short runs lose no byte and no exit code', async () => {
    const report = await shortRuns({ client, host: engine.host, count: 300, parallel: 4 });
    expect(report).toEqual({ runs: 300, wrongOutput: [], wrongExitCode: [] });
  }, 300_000);

  test.each(allClients())(
    'R16: 128 MB through a slow reader are byte-exact ($name)',
    async (each) => {
      const report = await slowReader({
        client: each,
        host: engine.host,
        megabytes: 128,
        slowBytes: 16 * 1024 * 1024,
      });
      expect(report).toMatchObject({ receivedBytes: report.expectedBytes, identical: true, exitCode: 0 });
    },
    300_000,
  );

  test.skipIf(process.env['GANTRY_TEST_HOST'] !== undefined)(
    'R5, R8: 50 kills of the daemon at random moments lose nothing',
    async () => {
      if (engine.daemon === undefined) throw new Error('this test needs a daemon of its own');
      const report = await crashRepeatedly({ daemon: engine.daemon, client, crashes: 50 });
      expect(report).toEqual({ crashes: 50, problems: [] });
    },
    600_000,
  );
});
