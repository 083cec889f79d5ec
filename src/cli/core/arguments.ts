import type { ArgumentRule } from './command.ts';
import { cliError, EXIT } from './errors.ts';

const counted = (count: number): string => `${count} ${count === 1 ? 'argument' : 'arguments'}`;

function complaint(count: number, { min, max }: ArgumentRule): string | undefined {
  if (count >= min && (max === undefined || count <= max)) return undefined;
  if (max === 0) return 'accepts no arguments';
  if (max === undefined) return `requires at least ${counted(min)}`;
  if (min === max) return `requires ${counted(min)}`;
  if (min === 0) return `requires at most ${counted(max)}`;
  return `requires at least ${min} and at most ${counted(max)}`;
}

/** @throws docker's text and usage block when the number of arguments does not fit. */
export function checkArguments(
  args: readonly string[],
  rule: ArgumentRule,
  names: { readonly program: string; readonly invokedAs: string; readonly usageLine: string },
): void {
  const problem = complaint(args.length, rule);
  if (problem === undefined) return;
  const command = `${names.program} ${names.invokedAs}`;
  const verb = rule.max === undefined ? 'See' : 'Run';
  throw cliError(`${names.program}: '${command}' ${problem}`, {
    exitCode: EXIT.failure,
    hint: `Usage:  ${names.usageLine}\n\n${verb} '${command} --help' for more information`,
  });
}
