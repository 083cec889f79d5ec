import { defineCommand } from '../core/command.ts';
import { inspectAll } from '../formatter/inspect.ts';

/** Shows volumes as the engine describes them. */
export const command = defineCommand({
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  arguments: { min: 1 },
  flags: { format: { type: 'string', short: 'f', summary: "Output: 'json' or a Go template" } },
  async run({ args, flags }, ctx) {
    const client = await ctx.client();
    await inspectAll(ctx, args, flags.format, (name) => client.volumes.inspect(name));
    return undefined;
  },
});
