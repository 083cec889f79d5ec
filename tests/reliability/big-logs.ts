import { closeSync, openSync, statSync, writeSync } from 'node:fs';
import type { TestDaemon } from '../harness/daemon.ts';
import { type Client, clientEnvironment, must, run } from '../harness/programs.ts';
import { footprintOf } from './figures.ts';

export interface BigLogsReport {
  readonly megabytes: number;
  /** By how much the daemon was larger at most than before, by phase. Megabytes. */
  readonly growthMb: Readonly<Record<string, number>>;
  readonly problems: readonly string[];
}

/**
 * A container writes `megabytes` without a newline, and as many with; then the log is read by a follower that dawdles, and read
 * again after bytes in it were garbled in several ways. The daemon's memory must not follow. R17.
 */
export async function logMuch(options: {
  readonly daemon: TestDaemon;
  readonly client: Client;
  readonly megabytes: number;
  readonly onProgress?: (done: number) => void;
}): Promise<BigLogsReport> {
  const { daemon, client, megabytes } = options;
  const { host } = daemon;
  const growthMb: Record<string, number> = {};
  const problems: string[] = [];
  const bytes = megabytes * 1024 * 1024;
  const phase = async (name: string, action: () => Promise<string | undefined>): Promise<void> => {
    const watch = watchRss(daemon.pid);
    const problem = await action().finally(() => watch.stop());
    growthMb[name] = watch.growth();
    if (problem !== undefined) problems.push(`${name}: ${problem}`);
    options.onProgress?.(Object.keys(growthMb).length);
  };
  // One file that is never rotated: everything has to be there at the end.
  const writer = (script: string) => [
    'run',
    '-d',
    '--log-opt',
    'max-size=100g',
    'busybox',
    'sh',
    '-c',
    script,
  ];
  const plain = await must(client, writer(`head -c ${bytes} /dev/zero | tr '\\0' x`), { host });
  await phase('writing without a newline', () => waitFor(client, host, plain));
  await phase('reading it', () => readSlowly(client, host, ['logs', plain], bytes, 0));
  const lines = await must(
    client,
    writer(`yes 'a line of some length, as programs write it' | head -c ${bytes}`),
    { host },
  );
  await phase('a slow follower while it is written', () =>
    readSlowly(client, host, ['logs', '-f', lines], bytes, 4),
  );
  await phase('its last lines', async () => {
    const out = await must(client, ['logs', '--tail', '5', lines], { host });
    return out.split('\n').length === 5 ? undefined : `--tail 5 gave ${out.split('\n').length} lines`;
  });
  const path = await must(client, ['inspect', '-f', '{{.LogPath}}', lines], { host });
  for (const [what, damage] of Object.entries(DAMAGES)) {
    garble(path, damage);
    for (const args of [
      ['logs', lines],
      ['logs', '--tail', '100', lines],
      ['logs', '--timestamps', '-f', lines],
    ]) {
      await phase(`${what}: ${args.slice(0, -1).join(' ')}`, async () => {
        const { code, stderr } = await drain(client, host, args);
        return code === 0 ? undefined : `exit code ${code}: ${stderr}`;
      });
    }
  }
  const rotated = await must(
    client,
    ['run', '-d', 'busybox', 'sh', '-c', `head -c ${bytes} /dev/zero | tr '\\0' x`],
    { host },
  );
  await phase('writing with rotation as it is by default', () => waitFor(client, host, rotated));
  await phase('reading what is kept', async () => {
    const { code, stderr } = await drain(client, host, ['logs', rotated]);
    return code === 0 ? undefined : `exit code ${code}: ${stderr}`;
  });
  const { code } = await run(client, ['rm', '-f', plain, lines, rotated], { host });
  if (code !== 0) problems.push('rm failed');
  return { megabytes, growthMb, problems };
}

const MB = 1024 * 1024;
/** What is written over the log, at a place in the middle. */
const DAMAGES: Readonly<Record<string, Buffer>> = {
  'a hole of zeros': Buffer.alloc(MB),
  noise: Buffer.from(crypto.getRandomValues(new Uint8Array(60_000))),
  'megabytes without a line end': Buffer.alloc(4 * MB, 'x'),
  'times and streams that are none': Buffer.from(
    '9999-99-99T99:99:99Z stdin Q \nstdout F\n\n \n'.repeat(5000),
  ),
  'parts that never end': Buffer.from(`${'2026-01-01T00:00:00Z stdout P x\n'.repeat(60_000)}`),
};

function garble(path: string, damage: Buffer): void {
  const fd = openSync(path, 'r+');
  const middle = Math.floor(statSync(path).size / 3);
  writeSync(fd, damage, 0, damage.length, middle);
  closeSync(fd);
}

function watchRss(pid: number): { growth: () => number; stop: () => void } {
  const before = footprintOf(pid).rssMb;
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, footprintOf(pid).rssMb)), 10);
  return { growth: () => Math.round((most - before) * 10) / 10, stop: () => clearInterval(timer) };
}

async function waitFor(client: Client, host: string, id: string): Promise<string | undefined> {
  const code = await must(client, ['wait', id], { host });
  return code === '0' ? undefined : `exit code ${code}`;
}

/** Reads a client's output with a pause after each piece, and counts it. */
async function readSlowly(
  client: Client,
  host: string,
  args: readonly string[],
  expected: number,
  pauseMs: number,
): Promise<string | undefined> {
  const child = Bun.spawn([client.path, ...args], {
    env: clientEnvironment({ host }),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let received = 0;
  for await (const chunk of child.stdout) {
    received += chunk.length;
    if (pauseMs > 0) await Bun.sleep(pauseMs);
  }
  return received === expected ? undefined : `${received} of ${expected} bytes`;
}

async function drain(
  client: Client,
  host: string,
  args: readonly string[],
): Promise<{ code: number; stderr: string }> {
  const child = Bun.spawn([client.path, ...args], {
    env: clientEnvironment({ host }),
    stdio: ['ignore', Bun.file('/dev/null'), 'pipe'],
  });
  const [stderr, code] = await Promise.all([new Response(child.stderr).text(), child.exited]);
  return { code, stderr: stderr.slice(-300) };
}
