import { defineCommand } from '../core/command.ts';
import { confirm } from '../core/confirm.ts';
import { prunedContainers, totalReclaimed } from '../formatter/pruned.ts';

/** Removes all stopped containers. */
export const command = defineCommand({
  usage: '[OPTIONS]',
  arguments: { min: 0, max: 0 },
  flags: {
    filter: { type: 'filter', summary: 'Remove only what matches (such as "until=24h")' },
    force: { type: 'bool', short: 'f', summary: 'Do not ask' },
  },
  async run({ flags }, ctx) {
    if (!flags.force) await confirm(ctx, 'WARNING! This will remove all stopped containers.');
    const { list, reclaimedBytes } = prunedContainers(
      await (await ctx.client()).containers.prune(flags.filter),
    );
    await ctx.stdout.write(`${list}${totalReclaimed(reclaimedBytes)}`);
    return undefined;
  },
});
