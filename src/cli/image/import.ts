import { openFile } from '../core/archive.ts';
import { defineCommand } from '../core/command.ts';
import { cliError } from '../core/errors.ts';
import { showProgress } from '../progress/show.ts';
import { parseImageName } from './reference.ts';

/** Makes an image from a tar archive of a file system. */
export const command = defineCommand({
  usage: '[OPTIONS] file|URL|- [REPOSITORY[:TAG]]',
  arguments: { min: 1, max: 2 },
  flags: {
    change: { type: 'list', short: 'c', summary: 'Dockerfile instruction to apply' },
    message: { type: 'string', short: 'm', summary: 'Message of the commit' },
    platform: { type: 'string', summary: 'Platform of the image (os[/arch[/variant]])' },
  },
  examples: ['gantry import rootfs.tar mybase:1.0'],
  async run({ args, flags }, ctx) {
    const [source = '', reference] = args;
    const name = reference === undefined ? undefined : parseImageName(reference);
    const isUrl = /^(https?:|www\.)/.test(source);
    if (source === '-' && ctx.stdin.isTerminal)
      throw cliError('cowardly refusing to read an archive from a terminal');
    const progress = await (await ctx.client()).images.import({
      source: isUrl ? undefined : source === '-' ? ctx.stdin.chunks() : await openFile(source),
      ...(isUrl && { fromUrl: source }),
      repo: name?.familiar ?? '',
      tag: name?.tag ?? '',
      message: flags.message,
      changes: flags.change,
      platform: flags.platform,
    });
    await showProgress(progress, ctx.stdout);
    return undefined;
  },
});
