import { defineCommand } from '../core/command.ts';
import { cliError } from '../core/errors.ts';

/** Gives a container another name. */
export const command = defineCommand({
  usage: 'CONTAINER NEW_NAME',
  arguments: { min: 2, max: 2 },
  flags: {},
  async run({ args }, ctx) {
    const [from = '', to = ''] = args.map((name) => name.trim());
    if (from === '' || to === '') throw cliError('Error: Neither old nor new names may be empty');
    try {
      await (await ctx.client()).containers.rename(from, to);
    } catch (error) {
      await ctx.stderr.write(`${(error as Error).message}\n`);
      throw cliError(`Error: failed to rename container named ${from}`, { cause: error });
    }
    return undefined;
  },
});
