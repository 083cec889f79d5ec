import { defineCommand } from '../core/command.ts';
import { cliError } from '../core/errors.ts';

/** Hands over to the engine. It parses its own flags, so that the client carries none of them. */
export const command = defineCommand({
  usage: '[OPTIONS]',
  arguments: { min: 0 },
  flags: {},
  parsesFlags: false,
  async run({ args }, ctx) {
    const handler = ctx.handlers['daemon'];
    if (!handler) throw cliError(`${ctx.program}: this program carries no daemon`);
    return await handler(args);
  },
});
