import { must } from '../../tests/harness/programs.ts';
import { type Measurement, timeMs } from '../measurement.ts';

const MEGABYTES = 100;
/** 70-byte lines, as an application's log has them. */
const WRITER = `yes 'a line of a log with about seventy bytes, as applications write them.' | head -c ${MEGABYTES}m`;

export const logThroughput: Measurement = {
  name: 'log throughput of a writing container',
  unit: 'MB/s',
  better: 'higher',
  budget: 3,
  rounds: 4,
  sample: async ({ client, host }) => {
    const id = await must(client, ['create', 'busybox', 'sh', '-c', WRITER], { host });
    const ms = await timeMs(async () => {
      await must(client, ['start', id], { host });
      await must(client, ['wait', id], { host });
    });
    await must(client, ['rm', id], { host });
    return (MEGABYTES / ms) * 1000;
  },
};
