import { createHash } from 'node:crypto';
import { type Client, clientEnvironment } from '../harness/programs.ts';

export interface SlowReaderReport {
  readonly expectedBytes: number;
  readonly receivedBytes: number;
  readonly identical: boolean;
  readonly exitCode: number;
}

const BLOCK = 65_536;
/** One block of the stream: `seq` counts, so that a lost, doubled or swapped piece changes the digest. */
const WRITER = (megabytes: number): string => `seq 1 200000000 | head -c ${megabytes * 1024 * 1024}`;

/**
 * A container writes `megabytes` as fast as it can; the client's output goes into a pipe whose reader takes a block,
 * pauses, and takes the next, until `slowBytes` have passed (then it reads on without pauses). R16.
 */
export async function slowReader(options: {
  readonly client: Client;
  readonly host: string;
  readonly megabytes: number;
  readonly slowBytes: number;
}): Promise<SlowReaderReport> {
  const child = Bun.spawn(
    [options.client.path, 'run', '--rm', 'busybox', 'sh', '-c', WRITER(options.megabytes)],
    {
      env: clientEnvironment(options),
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'inherit',
    },
  );
  const digest = createHash('sha256');
  let received = 0;
  let pausedAt = 0;
  for await (const chunk of child.stdout) {
    digest.update(chunk);
    received += chunk.length;
    if (received >= options.slowBytes || received - pausedAt < BLOCK) continue;
    pausedAt = received;
    await Bun.sleep(1);
  }
  return {
    expectedBytes: options.megabytes * 1024 * 1024,
    receivedBytes: received,
    identical: digest.digest('hex') === (await expectedDigest(options.megabytes)),
    exitCode: await child.exited,
  };
}

async function expectedDigest(megabytes: number): Promise<string> {
  const child = Bun.spawn(['sh', '-c', WRITER(megabytes)], { stdout: 'pipe' });
  const digest = createHash('sha256');
  for await (const chunk of child.stdout) digest.update(chunk);
  return digest.digest('hex');
}
