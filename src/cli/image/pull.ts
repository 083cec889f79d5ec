import { defineCommand } from '../core/command.ts';
import { pullImage } from './pull-image.ts';
import { familiarString, parseImageName } from './reference.ts';

/** Fetches an image from a registry. */
export const command = defineCommand({
  usage: '[OPTIONS] NAME[:TAG|@DIGEST]',
  arguments: { min: 1, max: 1 },
  flags: {
    'all-tags': { type: 'bool', short: 'a', summary: 'Fetch every tag', hidden: true },
    'disable-content-trust': {
      type: 'bool',
      default: 'true',
      summary: 'Skip image verification',
      hidden: true,
    },
    platform: { type: 'string', summary: 'Platform to fetch (os[/arch[/variant]])' },
    quiet: { type: 'bool', short: 'q', summary: 'Show only the name at the end' },
  },
  async run({ args, flags }, ctx) {
    const [image = ''] = args;
    const name = parseImageName(image);
    if (!/[:@]/.test(image.slice(image.lastIndexOf('/') + 1)) && !flags.quiet) {
      await ctx.stdout.write(`Using default tag: ${name.tag}\n`);
    }
    const client = await ctx.client();
    await pullImage(ctx, client, { image, platform: flags.platform, quiet: flags.quiet, out: ctx.stdout });
    await ctx.stdout.write(`${fullName(familiarString(name))}\n`);
    return undefined;
  },
});

/** With the registry's name, as docker prints it last. */
function fullName(familiar: string): string {
  const first = familiar.split('/')[0] ?? '';
  const hasDomain = familiar.includes('/') && (/[.:]/.test(first) || first === 'localhost');
  if (hasDomain) return familiar;
  return `docker.io/${familiar.includes('/') ? '' : 'library/'}${familiar}`;
}
