import { defineCommand } from '../core/command.ts';
import { cliError } from '../core/errors.ts';
import { parseImageName } from './reference.ts';

/** Gives an image another name. */
export const command = defineCommand({
  usage: 'SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]',
  arguments: { min: 2, max: 2 },
  flags: {},
  async run({ args }, ctx) {
    const [source = '', target = ''] = args;
    const name = parseImageName(target);
    if (name.digest !== '') throw cliError('refusing to create a tag with a digest reference');
    await (await ctx.client()).images.tag(source, name.familiar, name.tag);
    return undefined;
  },
});
