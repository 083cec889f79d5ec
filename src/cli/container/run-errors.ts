import { GantryError } from '#base';
import { daemonMessage } from '#client';
import type { CliContext } from '../core/context.ts';
import { EXIT, present, presentationOf } from '../core/errors.ts';

/**
 * Runs `action`; its errors get the form that those of `run` have, and those of `create` about its flags: exit code 125, a
 * prefix and a hint.
 */
export async function withRunHint<T>(
  ctx: CliContext,
  invokedAs: string,
  action: () => Promise<T>,
): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (presentationOf(error).exitCode !== undefined) throw error;
    throw present(error, runPresentation(ctx, invokedAs, EXIT.usage));
  }
}

const runPresentation = (ctx: CliContext, invokedAs: string, exitCode: number) => ({
  exitCode,
  prefix: `${ctx.program}: `,
  hint: `Run '${ctx.program} ${invokedAs} --help' for more information`,
});

/**
 * The error of a start that failed: 127 when the command is not there, 126 when it cannot be invoked. The daemon's text is
 * the contract here, as for the stock client (docker/cli cli/command/container/run.go).
 */
export function startFailure(ctx: CliContext, invokedAs: string, error: unknown): Error {
  const message = daemonMessage(error);
  if (message === undefined && error instanceof GantryError && error.code === 'unavailable') {
    return present(error, runPresentation(ctx, invokedAs, EXIT.usage));
  }
  return present(error, runPresentation(ctx, invokedAs, startExitCode(message ?? '')));
}

function startExitCode(message: string): number {
  if (
    /executable file not found|no such file or directory|system cannot find the file specified/.test(message)
  ) {
    return EXIT.notFound;
  }
  return /permission denied|is a directory/.test(message) ? EXIT.cannotInvoke : EXIT.usage;
}
