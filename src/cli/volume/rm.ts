import { defineCommand } from '../core/command.ts';
import { forEachName } from '../core/each.ts';

/** Removes volumes. */
export const command = defineCommand({
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  arguments: { min: 1 },
  flags: { force: { type: 'bool', short: 'f', summary: 'Ignore volumes that are not there' } },
  async run({ args, flags }, ctx) {
    const client = await ctx.client();
    await forEachName(ctx, args, async (name) => {
      await client.volumes.remove(name, flags);
      return name;
    });
    return undefined;
  },
});
