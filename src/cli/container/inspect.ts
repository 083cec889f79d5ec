import { defineCommand } from '../core/command.ts';
import { inspectAll } from '../formatter/inspect.ts';

/** Shows containers as the engine describes them. */
export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  arguments: { min: 1 },
  flags: {
    format: { type: 'string', short: 'f', summary: "Output: 'json' or a Go template" },
    size: { type: 'bool', short: 's', summary: 'Add sizes' },
  },
  async run({ args, flags }, ctx) {
    const client = await ctx.client();
    await inspectAll(ctx, args, flags.format, (ref) => client.containers.inspect(ref, { size: flags.size }));
    return undefined;
  },
});
