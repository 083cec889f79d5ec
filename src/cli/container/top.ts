import { defineCommand } from '../core/command.ts';
import { alignColumns } from '../formatter/tabwriter.ts';

const LAYOUT = { minWidth: 20, padding: 3 };

/** Lists the processes of a container. */
export const command = defineCommand({
  usage: 'CONTAINER [ps OPTIONS]',
  arguments: { min: 1 },
  flags: {},
  interspersed: false,
  async run({ args }, ctx) {
    const [name = '', ...psArgs] = args;
    const { Titles, Processes } = await (await ctx.client()).containers.top(name, psArgs.join(' '));
    const lines = [Titles, ...(Processes ?? [])].map((cells) => `${cells.join('\t')}\n`);
    await ctx.stdout.write(alignColumns(lines.join(''), LAYOUT));
    return undefined;
  },
});
