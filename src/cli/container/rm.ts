import { isNotFound } from '#base';
import { defineCommand } from '../core/command.ts';
import { forEachName } from '../core/each.ts';
import { cliError } from '../core/errors.ts';

/** Removes containers. */
export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  arguments: { min: 1 },
  flags: {
    force: { type: 'bool', short: 'f', summary: 'Kill running ones first' },
    link: { type: 'bool', short: 'l', summary: 'Remove the link, not the container' },
    volumes: { type: 'bool', short: 'v', summary: 'Remove their anonymous volumes too' },
  },
  async run({ args, flags }, ctx) {
    const client = await ctx.client();
    await forEachName(ctx, args, async (given) => {
      const name = given.replace(/^\/+|\/+$/g, '');
      if (name === '') throw cliError('container name cannot be empty');
      try {
        await client.containers.remove(name, flags);
      } catch (error) {
        if (!flags.force || !isNotFound(error)) throw error;
        // With --force a missing container is reported, but is no failure.
        await ctx.stderr.write(`${(error as Error).message}\n`);
        return undefined;
      }
      return given;
    });
    return undefined;
  },
});
