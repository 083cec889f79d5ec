import { defineCommand } from '../core/command.ts';
import { writeList } from '../formatter/list.ts';
import { NETWORK_LAYOUT, networkRow } from '../formatter/network.ts';
import { naturalOrder } from '../formatter/text.ts';

/** Lists networks. */
export const command = defineCommand({
  usage: '[OPTIONS]',
  arguments: { min: 0, max: 0 },
  flags: {
    filter: { type: 'filter', short: 'f', summary: 'Show only what matches (such as "driver=bridge")' },
    format: { type: 'string', summary: "Output: 'table', 'table TEMPLATE', 'json' or a Go template" },
    'no-trunc': { type: 'bool', summary: 'Show everything in full' },
    quiet: { type: 'bool', short: 'q', summary: 'Show only IDs' },
  },
  async run({ flags }, ctx) {
    const networks = await (await ctx.client()).networks.list(flags.filter);
    const format = flags.format || (flags.quiet ? '' : ((await ctx.config()).networksFormat ?? ''));
    const rows = [...networks]
      .sort((a, b) => naturalOrder(a.Name, b.Name))
      .map((network) => networkRow(network, { truncate: !flags['no-trunc'] }));
    await writeList(ctx, rows, NETWORK_LAYOUT, { format, quiet: flags.quiet });
    return undefined;
  },
});
