import { defineCommand } from '../core/command.ts';
import { cliError } from '../core/errors.ts';
import { showProgress } from '../progress/show.ts';

const KINDS = ['busybox', 'debian'];

/** Makes a base image from this system's packages. */
export const command = defineCommand({
  usage: '[OPTIONS] busybox|debian [PACKAGE...]',
  arguments: { min: 1 },
  flags: { tag: { type: 'string', short: 't', summary: 'Name of the image (default is its kind)' } },
  examples: ['gantry image bootstrap busybox', 'gantry image bootstrap debian curl -t debian:curl'],
  async run({ args, flags }, ctx) {
    const [kind = '', ...packages] = args;
    if (!KINDS.includes(kind))
      throw cliError(`unknown base image: ${JSON.stringify(kind)}: must be one of ${KINDS.join(', ')}`);
    const progress = await (await ctx.client()).images.bootstrap(kind, {
      ...(flags.tag !== '' && { reference: flags.tag }),
      packages,
    });
    await showProgress(progress, ctx.stdout);
    return undefined;
  },
});
