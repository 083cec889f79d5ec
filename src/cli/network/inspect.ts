import { defineCommand } from '../core/command.ts';
import { inspectAll } from '../formatter/inspect.ts';

/** Shows networks as the engine describes them. */
export const command = defineCommand({
  usage: '[OPTIONS] NETWORK [NETWORK...]',
  arguments: { min: 1 },
  flags: {
    format: { type: 'string', short: 'f', summary: "Output: 'json' or a Go template" },
    verbose: { type: 'bool', short: 'v', summary: 'Add what helps to find faults' },
  },
  async run({ args, flags }, ctx) {
    const client = await ctx.client();
    await inspectAll(ctx, args, flags.format, (ref) =>
      client.networks.inspect(ref, { verbose: flags.verbose }),
    );
    return undefined;
  },
});
