import { defineCommand } from '../core/command.ts';
import { forEachName } from '../core/each.ts';
import { STOP_FLAGS, stopOptions } from './stop-flags.ts';

/** Stops running containers: first asks, then kills. */
export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  arguments: { min: 1 },
  flags: STOP_FLAGS,
  async run({ args, flags, changed }, ctx) {
    const client = await ctx.client();
    await forEachName(ctx, args, async (name) => {
      await client.containers.stop(name, stopOptions(flags, changed));
      return name;
    });
    return undefined;
  },
});
