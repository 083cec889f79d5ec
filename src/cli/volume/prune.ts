import { defineCommand } from '../core/command.ts';
import { confirm } from '../core/confirm.ts';
import { prunedVolumes, totalReclaimed } from '../formatter/pruned.ts';

/** Removes anonymous volumes that no container uses, or all such volumes. */
export const command = defineCommand({
  usage: '[OPTIONS]',
  arguments: { min: 0, max: 0 },
  flags: {
    all: { type: 'bool', short: 'a', summary: 'Remove volumes with a name too' },
    filter: { type: 'filter', summary: 'Remove only what matches (such as "label=keep")' },
    force: { type: 'bool', short: 'f', summary: 'Do not ask' },
  },
  async run({ flags }, ctx) {
    const what = flags.all ? 'all local volumes' : 'anonymous local volumes';
    if (!flags.force)
      await confirm(ctx, `WARNING! This will remove ${what} not used by at least one container.`);
    const filters = flags.all ? { ...flags.filter, all: ['true'] } : flags.filter;
    const { list, reclaimedBytes } = prunedVolumes(await (await ctx.client()).volumes.prune(filters));
    await ctx.stdout.write(`${list}${totalReclaimed(reclaimedBytes)}`);
    return undefined;
  },
});
