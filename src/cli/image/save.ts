import { writeArchive } from '../core/archive.ts';
import { defineCommand } from '../core/command.ts';

/** Writes images to an archive that `load` reads. */
export const command = defineCommand({
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  arguments: { min: 1 },
  flags: {
    output: { type: 'string', short: 'o', summary: 'File to write to instead of standard output' },
    platform: { type: 'stringSlice', summary: 'Write only these platforms' },
  },
  async run({ args, flags }, ctx) {
    const client = await ctx.client();
    const open = () => client.images.save(args, { platforms: flags.platform });
    await writeArchive(ctx, { path: flags.output, failure: 'failed to save image', open });
    return undefined;
  },
});
