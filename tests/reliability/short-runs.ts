import { createHash } from 'node:crypto';
import { type Client, clientEnvironment } from '../harness/programs.ts';

/** What went wrong in a series of short runs; empty lists are what we want. */
export interface ShortRunsReport {
  readonly runs: number;
  readonly wrongOutput: readonly string[];
  readonly wrongExitCode: readonly string[];
}

/**
 * Runs `count` short containers with auto-remove, `parallel` at a time. Each prints a text of its own (some without a
 * last newline, some of several kilobytes) and exits with a code of its own; both are checked. R16.
 */
export async function shortRuns(options: {
  readonly client: Client;
  readonly host: string;
  readonly count: number;
  readonly parallel: number;
  readonly onProgress?: (done: number) => void;
}): Promise<ShortRunsReport> {
  const wrongOutput: string[] = [];
  const wrongExitCode: string[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < options.count) {
      const index = next++;
      const { expected, script, code } = plan(index);
      const result = await runOnce(options, script);
      if (result.stdout !== expected)
        wrongOutput.push(
          `run ${index}: ${result.stdout.length} of ${expected.length} bytes, stderr ${result.stderr}`,
        );
      if (result.code !== code) wrongExitCode.push(`run ${index}: ${result.code} instead of ${code}`);
      options.onProgress?.(index + 1);
    }
  };
  await Promise.all(Array.from({ length: options.parallel }, worker));
  return { runs: options.count, wrongOutput, wrongExitCode };
}

function plan(index: number): { expected: string; script: string; code: number } {
  const word = createHash('md5').update(String(index)).digest('hex');
  const lines = index % 5 === 0 ? 200 : 1;
  const newline = index % 3 === 0 ? '' : '\n';
  const code = index % 7;
  const body = `${Array.from({ length: lines }, () => word).join('\n')}${newline}`;
  const script = `i=1; while [ $i -lt ${lines} ]; do echo ${word}; i=$((i+1)); done; printf '${word}${newline === '' ? '' : '\\n'}'; exit ${code}`;
  return { expected: body, script, code };
}

async function runOnce(options: { readonly client: Client; readonly host: string }, script: string) {
  const child = Bun.spawn([options.client.path, 'run', '--rm', 'busybox', 'sh', '-c', script], {
    env: clientEnvironment(options),
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { stdout, stderr, code };
}
