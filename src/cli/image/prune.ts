import { formatBytes } from '#base';
import { defineCommand } from '../core/command.ts';
import { confirm } from '../core/confirm.ts';

/** Removes images without a name, or all that no container uses. */
export const command = defineCommand({
  usage: '[OPTIONS]',
  arguments: { min: 0, max: 0 },
  flags: {
    all: { type: 'bool', short: 'a', summary: 'Remove all unused images, not only those without a name' },
    filter: { type: 'filter', summary: 'Remove only what matches (such as "until=24h")' },
    force: { type: 'bool', short: 'f', summary: 'Do not ask' },
  },
  async run({ flags }, ctx) {
    const what = flags.all
      ? 'all images without at least one container associated to them'
      : 'all dangling images';
    if (!flags.force) await confirm(ctx, `WARNING! This will remove ${what}.`);
    const filters = { ...flags.filter, dangling: [String(!flags.all)] };
    const result = await (await ctx.client()).images.prune(filters);
    const lines = (result.ImagesDeleted ?? []).map(({ Untagged, Deleted }) =>
      Untagged ? `untagged: ${Untagged}\n` : `deleted: ${Deleted}\n`,
    );
    const list = lines.length > 0 ? `Deleted Images:\n${lines.join('')}\n` : '';
    await ctx.stdout.write(`${list}Total reclaimed space: ${formatBytes(result.SpaceReclaimed)}\n`);
    return undefined;
  },
});
