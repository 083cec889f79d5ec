import { defineCommand } from '../core/command.ts';
import { consoleSize } from '../session/resize.ts';
import { checkPullPolicy, createContainer } from './create/create.ts';
import { CREATE_FLAGS } from './create/flags.ts';
import { toCreateRequest } from './create/request.ts';
import { withRunHint } from './run-errors.ts';

/** Creates a container and prints its ID. */
export const command = defineCommand({
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  arguments: { min: 1 },
  flags: CREATE_FLAGS,
  interspersed: false,
  async run({ args, flags, changed, invokedAs }, ctx) {
    const [image = '', ...rest] = args;
    const request = await withRunHint(ctx, invokedAs, async () => {
      checkPullPolicy(flags.pull);
      const size = consoleSize(ctx, flags.tty);
      return await toCreateRequest(flags, { image, command: rest, changed, env: ctx.env, consoleSize: size });
    });
    const client = await ctx.client();
    const id = await createContainer(ctx, client, flags, request);
    await ctx.stdout.write(`${id}\n`);
    return undefined;
  },
});
