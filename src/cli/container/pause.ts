import { defineCommand } from '../core/command.ts';
import { forEachName } from '../core/each.ts';

/** Freezes all processes of containers. */
export const command = defineCommand({
  usage: 'CONTAINER [CONTAINER...]',
  arguments: { min: 1 },
  flags: {},
  async run({ args }, ctx) {
    const client = await ctx.client();
    await forEachName(ctx, args, async (name) => {
      await client.containers.pause(name);
      return name;
    });
    return undefined;
  },
});
