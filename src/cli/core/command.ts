import type { FlagSpecs, FlagValues } from '../flags/spec.ts';
import type { CliContext } from './context.ts';

/** How many positional arguments a command takes. `max` undefined is any number. */
export interface ArgumentRule {
  readonly min: number;
  readonly max?: number;
}

/** What a command's run function receives. */
export interface Invocation<F extends FlagSpecs = FlagSpecs> {
  readonly args: readonly string[];
  readonly flags: FlagValues<F>;
  /** Long names of the flags the user gave. */
  readonly changed: ReadonlySet<string>;
  /** The words the user typed for the command: `container run` or `run`. */
  readonly invokedAs: string;
}

/** A command as data, with its behaviour apart. Name, aliases and summary are in the command table. */
export interface CommandDefinition<F extends FlagSpecs = FlagSpecs> {
  /** What follows the name in the usage line. */
  readonly usage: string;
  readonly arguments: ArgumentRule;
  readonly flags: F;
  /** False where everything after the first argument belongs to the container's command. Default true. */
  readonly interspersed?: boolean;
  /** False where the arguments are passed on untouched. Default true. */
  readonly parsesFlags?: boolean;
  readonly examples?: readonly string[];
  /** Answers the exit code; undefined is 0. */
  run(invocation: Invocation<F>, ctx: CliContext): Promise<number | undefined>;
}

/** Ties the flag table to the run function's types, then forgets it. */
export function defineCommand<const F extends FlagSpecs>(
  definition: CommandDefinition<F>,
): CommandDefinition {
  return definition as unknown as CommandDefinition;
}
