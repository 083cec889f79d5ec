import { defineCommand } from '../core/command.ts';
import { writeList } from '../formatter/list.ts';
import { naturalOrder } from '../formatter/text.ts';
import { VOLUME_LAYOUT, volumeRow } from '../formatter/volume.ts';

/** Lists volumes. */
export const command = defineCommand({
  usage: '[OPTIONS]',
  arguments: { min: 0, max: 0 },
  flags: {
    cluster: { type: 'bool', summary: 'Show only cluster volumes', hidden: true },
    filter: { type: 'filter', short: 'f', summary: 'Show only what matches (such as "dangling=true")' },
    format: { type: 'string', summary: "Output: 'table', 'table TEMPLATE', 'json' or a Go template" },
    quiet: { type: 'bool', short: 'q', summary: 'Show only names' },
  },
  async run({ flags }, ctx) {
    const { Volumes } = await (await ctx.client()).volumes.list(flags.filter);
    const format = flags.format || (flags.quiet ? '' : ((await ctx.config()).volumesFormat ?? ''));
    const rows = [...(Volumes ?? [])].sort((a, b) => naturalOrder(a.Name, b.Name)).map(volumeRow);
    await writeList(ctx, rows, VOLUME_LAYOUT, { format, quiet: flags.quiet });
    return undefined;
  },
});
