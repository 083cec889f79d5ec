import { defineCommand } from '../core/command.ts';
import { confirm } from '../core/confirm.ts';
import { prunedImages, totalReclaimed } from '../formatter/pruned.ts';

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
    const { list, reclaimedBytes } = prunedImages(await (await ctx.client()).images.prune(filters));
    await ctx.stdout.write(`${list}${totalReclaimed(reclaimedBytes)}`);
    return undefined;
  },
});
