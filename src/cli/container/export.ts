import { writeArchive } from '../core/archive.ts';
import { defineCommand } from '../core/command.ts';
import { cliError } from '../core/errors.ts';

/** Writes a container's file system as a tar archive. */
export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER',
  arguments: { min: 1, max: 1 },
  flags: { output: { type: 'string', short: 'o', summary: 'File to write to instead of standard output' } },
  async run({ args, flags }, ctx) {
    if (flags.output !== '') await checkOutput(flags.output);
    const client = await ctx.client();
    await writeArchive(ctx, flags.output, () => client.containers.export(args[0] ?? ''));
    return undefined;
  },
});

/** @throws docker's texts for a path that cannot become a file. */
async function checkOutput(path: string): Promise<void> {
  const isDirectory = (at: string) =>
    Bun.file(at)
      .stat()
      .then(
        (stat) => stat.isDirectory(),
        () => undefined,
      );
  if (await isDirectory(path)) throw cliError('failed to export container: cannot write to a directory');
  const parent = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) || '/' : '.';
  if (await isDirectory(parent)) return;
  throw cliError(
    `failed to export container: invalid output path: stat ${parent}: no such file or directory`,
  );
}
