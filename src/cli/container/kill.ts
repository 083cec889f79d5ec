import { defineCommand } from '../core/command.ts';
import { forEachName } from '../core/each.ts';

/** Sends a signal to containers. */
export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  arguments: { min: 1 },
  flags: { signal: { type: 'string', short: 's', summary: 'Signal to send' } },
  async run({ args, flags }, ctx) {
    const client = await ctx.client();
    await forEachName(ctx, args, async (name) => {
      await client.containers.kill(name, flags.signal);
      return name;
    });
    return undefined;
  },
});
