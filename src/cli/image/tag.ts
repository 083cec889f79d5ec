import { errorMessage } from '#base';
import { defineCommand } from '../core/command.ts';
import { cliError } from '../core/errors.ts';
import { type ImageName, parseImageName } from './reference.ts';

/** Gives an image another name. */
export const command = defineCommand({
  usage: 'SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]',
  arguments: { min: 2, max: 2 },
  flags: {},
  async run({ args }, ctx) {
    const [source = '', target = ''] = args;
    const name = parseTarget(target);
    if (name.digest !== '') throw cliError('refusing to create a tag with a digest reference');
    await (await ctx.client()).images.tag(source, name.familiar, name.tag);
    return undefined;
  },
});

function parseTarget(text: string): ImageName {
  try {
    return parseImageName(text);
  } catch (error) {
    const shown = JSON.stringify(text);
    throw cliError(
      `Error parsing reference: ${shown} is not a valid repository/tag: ${errorMessage(error)}`,
      {
        cause: error,
      },
    );
  }
}
