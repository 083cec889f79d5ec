import { writeArchive } from '../core/archive.ts';
import { defineCommand } from '../core/command.ts';

/** Writes a container's file system as a tar archive. */
export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER',
  arguments: { min: 1, max: 1 },
  flags: { output: { type: 'string', short: 'o', summary: 'File to write to instead of standard output' } },
  async run({ args, flags }, ctx) {
    const client = await ctx.client();
    const open = () => client.containers.export(args[0] ?? '');
    await writeArchive(ctx, { path: flags.output, failure: 'failed to export container', open });
    return undefined;
  },
});
