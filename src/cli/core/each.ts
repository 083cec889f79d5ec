import { errorMessage } from '#base';
import type { CliContext } from './context.ts';
import { cliError } from './errors.ts';

const PARALLEL = 50;

/**
 * Does something for each named object, up to 50 at a time. Names are printed in order as soon as they are done; failures are
 * collected and thrown together at the end.
 */
export async function forEachName(
  ctx: CliContext,
  names: readonly string[],
  action: (name: string) => Promise<string | undefined>,
): Promise<void> {
  const failures: string[] = [];
  for (let start = 0; start < names.length; start += PARALLEL) {
    const running = names.slice(start, start + PARALLEL).map((name) =>
      action(name).then(
        (line) => ({ line }),
        (error: unknown) => ({ failure: errorMessage(error) }),
      ),
    );
    for (const result of running) {
      const outcome = await result;
      if ('failure' in outcome) failures.push(outcome.failure);
      else if (outcome.line !== undefined) await ctx.stdout.write(`${outcome.line}\n`);
    }
  }
  if (failures.length > 0) throw cliError(failures.join('\n'));
}
