import { defineCommand } from '../core/command.ts';
import { HISTORY_EXACT_LAYOUT, HISTORY_LAYOUT, historyRow } from '../formatter/history.ts';
import { writeList } from '../formatter/list.ts';

/** Shows how an image was made, newest layer first. */
export const command = defineCommand({
  usage: '[OPTIONS] IMAGE',
  arguments: { min: 1, max: 1 },
  flags: {
    format: { type: 'string', summary: "Output: 'table', 'table TEMPLATE', 'json' or a Go template" },
    human: { type: 'bool', short: 'H', default: 'true', summary: 'Show sizes and times for people' },
    'no-trunc': { type: 'bool', summary: 'Show everything in full' },
    platform: { type: 'string', summary: 'Platform to show (os[/arch[/variant]])', hidden: true },
    quiet: { type: 'bool', short: 'q', summary: 'Show only IDs' },
  },
  async run({ args, flags }, ctx) {
    const items = await (await ctx.client()).images.history(args[0] ?? '');
    const options = { truncate: !flags['no-trunc'], human: flags.human, nowMs: ctx.now() };
    const rows = items.map((item) => historyRow(item, options));
    await writeList(ctx, rows, flags.human ? HISTORY_LAYOUT : HISTORY_EXACT_LAYOUT, flags);
    return undefined;
  },
});
