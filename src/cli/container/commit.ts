import { defineCommand } from '../core/command.ts';
import { parseImageName } from '../image/reference.ts';

/** Makes an image of what a container has become. */
export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER [REPOSITORY[:TAG]]',
  arguments: { min: 1, max: 2 },
  flags: {
    author: { type: 'string', short: 'a', summary: 'Author, such as "Ann Lee <ann@example.com>"' },
    change: { type: 'list', short: 'c', summary: 'Dockerfile instruction to apply to the image' },
    message: { type: 'string', short: 'm', summary: 'What the image is for' },
    'no-pause': { type: 'bool', summary: 'Let the container run meanwhile' },
    pause: {
      type: 'bool',
      short: 'p',
      default: 'true',
      hidden: true,
      summary: 'Freeze the container meanwhile (the default)',
    },
  },
  examples: ['gantry commit -m "with editor" box mybox:2'],
  async run({ args, flags }, ctx) {
    const [container = '', reference] = args;
    const name = reference === undefined ? undefined : parseImageName(reference);
    const client = await ctx.client();
    const id = await client.containers.commit(container, {
      repo: name?.familiar ?? '',
      tag: name?.tag ?? '',
      message: flags.message,
      author: flags.author,
      changes: flags.change,
      pause: flags.pause && !flags['no-pause'],
    });
    await ctx.stdout.write(`${id}\n`);
    return undefined;
  },
});
