import { errorMessage, isNotFound } from '#base';
import { defineCommand } from '../core/command.ts';
import { silentExit } from '../core/errors.ts';

/** Removes images: a name first, the image with its last name. */
export const command = defineCommand({
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  arguments: { min: 1 },
  flags: {
    force: { type: 'bool', short: 'f', summary: 'Remove it even if stopped containers use it' },
    'no-prune': { type: 'bool', summary: 'Keep parents without a name' },
    platform: { type: 'stringSlice', summary: 'Remove only these platforms', hidden: true },
  },
  async run({ args, flags }, ctx) {
    const client = await ctx.client();
    const failures: string[] = [];
    let isFatal = false;
    for (const ref of args) {
      try {
        const items = await client.images.remove(ref, { force: flags.force, noPrune: flags['no-prune'] });
        const lines = items.map(({ Untagged, Deleted }) =>
          Deleted ? `Deleted: ${Deleted}\n` : `Untagged: ${Untagged}\n`,
        );
        await ctx.stdout.write(lines.join(''));
      } catch (error) {
        isFatal ||= !isNotFound(error);
        failures.push(errorMessage(error));
      }
    }
    if (failures.length === 0) return undefined;
    await ctx.stderr.write(`${failures.join('\n')}\n`);
    // With --force, an image that is not there is as good as removed.
    if (flags.force && !isFatal) return undefined;
    throw silentExit(1);
  },
});
