import { defineCommand } from '../core/command.ts';
import { forEachName } from '../core/each.ts';
import { cliError } from '../core/errors.ts';

/** Waits for containers to stop and prints their exit codes, one a line. */
export const command = defineCommand({
  usage: 'CONTAINER [CONTAINER...]',
  arguments: { min: 1 },
  flags: {},
  async run({ args }, ctx) {
    const client = await ctx.client();
    await forEachName(ctx, args, async (name) => {
      const { exit } = await client.containers.wait(name);
      const result = await exit;
      if (result.Error?.Message) throw cliError(result.Error.Message);
      return String(result.StatusCode);
    });
    return undefined;
  },
});
