import { defineCommand } from '../core/command.ts';
import { cliError } from '../core/errors.ts';

const KIND_LETTERS = ['C', 'A', 'D'];

/** Shows what changed in a container's file system: added, changed, deleted. */
export const command = defineCommand({
  usage: 'CONTAINER',
  arguments: { min: 1, max: 1 },
  flags: {},
  async run({ args }, ctx) {
    if (args[0] === '') throw cliError('Container name cannot be empty');
    const changes = await (await ctx.client()).containers.changes(args[0] ?? '');
    await ctx.stdout.write(
      changes.map(({ Kind, Path }) => `${KIND_LETTERS[Kind] ?? '?'} ${Path}\n`).join(''),
    );
    return undefined;
  },
});
