import type { TestDaemon } from '../harness/daemon.ts';
import { eventually } from '../harness/eventually.ts';
import { type Client, must, run } from '../harness/programs.ts';

export interface CrashReport {
  readonly crashes: number;
  /** What was not as it should be after a crash; empty is what we want. */
  readonly problems: readonly string[];
}

const COUNTER = 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.01; done';
const SERVER = 'mkdir /www; echo served > /www/index.html; exec httpd -f -p 80 -h /www';

/**
 * Kills the daemon `crashes` times at random moments while containers count, serve and are being started, and checks
 * after each that its successor has everything: running containers run, their logs have no gap, ports answer, exec
 * works, exit codes are kept, and what was half-made is gone. R5, R8.
 */
export async function crashRepeatedly(options: {
  readonly daemon: TestDaemon;
  readonly client: Client;
  readonly crashes: number;
  readonly onProgress?: (done: number) => void;
}): Promise<CrashReport> {
  const { daemon, client } = options;
  const host = daemon.host;
  await must(client, ['run', '-d', '--name', 'counter', 'busybox', 'sh', '-c', COUNTER], { host });
  await must(client, ['run', '-d', '--name', 'web', '-p', '0:80', 'busybox', 'sh', '-c', SERVER], { host });
  const port =
    (await must(client, ['port', 'web', '80/tcp'], { host })).split('\n')[0]?.split(':').at(-1) ?? '';
  await eventually('the server', () => answers(port));
  const problems: string[] = [];
  for (let crash = 0; crash < options.crashes; crash += 1) {
    const code = crash % 7;
    await must(
      client,
      ['run', '-d', '--name', `ends-${crash}`, 'busybox', 'sh', '-c', `sleep 0.05; exit ${code}`],
      { host },
    );
    const churn = startChurn(client, host);
    await Bun.sleep(Math.random() * 60);
    await daemon.crash();
    await churn;
    if (!(await answers(port))) problems.push(`crash ${crash}: the port does not answer without a daemon`);
    await daemon.restart();
    problems.push(...(await checkAfterCrash(client, host, { crash, code, port })));
    options.onProgress?.(crash + 1);
  }
  problems.push(...(await checkCounter(client, host)));
  await must(client, ['rm', '-f', 'counter', 'web'], { host });
  return { crashes: options.crashes, problems };
}

/** Short runs that the crash hits at any point; their own fate does not matter, only that nothing stays half-made. */
async function startChurn(client: Client, host: string): Promise<void> {
  await Promise.all([1, 2].map(() => run(client, ['run', '--rm', 'busybox', 'true'], { host })));
}

async function checkAfterCrash(
  client: Client,
  host: string,
  { crash, code, port }: { crash: number; code: number; port: string },
): Promise<string[]> {
  const problems: string[] = [];
  const expectText = async (what: string, args: string[], text: string): Promise<void> => {
    const { stdout, stderr } = await run(client, args, { host });
    if (stdout.trim() !== text)
      problems.push(
        `crash ${crash}: ${what}: ${JSON.stringify(stdout + stderr)}, not ${JSON.stringify(text)}`,
      );
  };
  await expectText(
    'running after adoption',
    ['inspect', '-f', '{{.State.Running}}', 'counter', 'web'],
    'true\ntrue',
  );
  await expectText('exec after adoption', ['exec', 'counter', 'echo', 'here'], 'here');
  await expectText('exit code kept', ['wait', `ends-${crash}`], String(code));
  await expectText('removal', ['rm', `ends-${crash}`], `ends-${crash}`);
  if (!(await answers(port))) problems.push(`crash ${crash}: the port does not answer after adoption`);
  await eventually('auto-removed containers to go', async () => {
    const { stdout } = await run(client, ['ps', '-a', '--format', '{{.Names}} {{.Status}}'], { host });
    const others = stdout.split('\n').filter((line) => line !== '' && !/^(counter|web) /.test(line));
    if (others.length > 0) throw new Error(`left: ${others.join('; ')}`);
    return true;
  }).catch((error: Error) => problems.push(`crash ${crash}: ${error.message}`));
  return problems;
}

async function checkCounter(client: Client, host: string): Promise<string[]> {
  await must(client, ['kill', 'counter'], { host });
  const numbers = (await must(client, ['logs', 'counter'], { host })).split('\n').map(Number);
  const gap = numbers.findIndex((value, index) => value !== index + 1);
  return gap < 0 ? [] : [`the log has a gap: line ${gap + 1} says ${numbers[gap]}`];
}

async function answers(port: string): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/`, {
      signal: AbortSignal.timeout(5000),
      keepalive: false,
    });
    return (await response.text()) === 'served\n';
  } catch {
    return false;
  }
}
