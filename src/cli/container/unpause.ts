import { defineCommand } from '../core/command.ts';
import { forEachName } from '../core/each.ts';

/** Lets frozen containers go on. */
export const command = defineCommand({
  usage: 'CONTAINER [CONTAINER...]',
  arguments: { min: 1 },
  flags: {},
  async run({ args }, ctx) {
    const client = await ctx.client();
    await forEachName(ctx, args, async (name) => {
      await client.containers.unpause(name);
      return name;
    });
    return undefined;
  },
});
