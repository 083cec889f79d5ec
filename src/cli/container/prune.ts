import { formatBytes } from '#base';
import { defineCommand } from '../core/command.ts';
import { confirm } from '../core/confirm.ts';

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
    const result = await (await ctx.client()).containers.prune(flags.filter);
    const deleted = result.ContainersDeleted ?? [];
    const list =
      deleted.length > 0 ? `Deleted Containers:\n${deleted.map((id) => `${id}\n`).join('')}\n` : '';
    await ctx.stdout.write(`${list}Total reclaimed space: ${formatBytes(result.SpaceReclaimed)}\n`);
    return undefined;
  },
});
