import { deadlineExceeded } from '#base';
import { runtimeArguments } from './conmon/arguments.ts';
import type { LaunchableRuntime } from './programs/launcher.ts';
import type { RuntimeBinary } from './types.ts';

export interface CommandResult {
  readonly exitCode: number;
  readonly stderr: string;
}

/** Starts something in the calling thread's namespaces. */
export const here = <T>(start: () => T): T => start();

/**
 * Calls an OCI runtime and waits at most `deadlineMs`; then it is killed.
 * @throws `deadline_exceeded`.
 */
export async function callRuntime(options: {
  readonly runtime: LaunchableRuntime;
  readonly stateRoot: string;
  readonly args: readonly string[];
  readonly deadlineMs: number;
}): Promise<CommandResult> {
  const { runtime, stateRoot, args, deadlineMs } = options;
  const program = runtime.launch?.program ?? runtime.path;
  const enter = runtime.enter ?? here;
  const child = enter(() =>
    Bun.spawn([program, ...runtimeArguments(runtime, stateRoot), ...args], {
      argv0: runtime.path,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...runtime.launch?.env, PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
    }),
  );
  let expired = false;
  const timer = setTimeout(() => {
    expired = true;
    child.kill('SIGKILL');
  }, deadlineMs);
  try {
    const [stderr, exitCode] = await Promise.all([new Response(child.stderr).text(), child.exited]);
    if (expired)
      throw deadlineExceeded(`the runtime's "${args[0]}" did not answer within ${deadlineMs} ms`, {
        details: { args },
      });
    return { exitCode, stderr };
  } finally {
    clearTimeout(timer);
  }
}

/** What a runtime says when it is asked about itself, on either stream. After the deadline it is killed. */
export async function callRuntimeForText(
  runtime: RuntimeBinary,
  args: readonly string[],
  deadlineMs: number,
): Promise<string> {
  const child = Bun.spawn([runtime.path, ...runtime.args, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
    signal: AbortSignal.timeout(deadlineMs),
  });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return out + err;
}
