import { defineCommand } from '../core/command.ts';
import { inspectAll } from '../formatter/inspect.ts';

/** Shows images as the engine describes them. */
export const command = defineCommand({
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  arguments: { min: 1 },
  flags: {
    format: { type: 'string', short: 'f', summary: "Output: 'json' or a Go template" },
    platform: { type: 'string', summary: 'Platform to show (os[/arch[/variant]])' },
  },
  async run({ args, flags }, ctx) {
    const client = await ctx.client();
    await inspectAll(ctx, args, flags.format, (ref) =>
      client.images.inspect(ref, { platform: flags.platform }),
    );
    return undefined;
  },
});
