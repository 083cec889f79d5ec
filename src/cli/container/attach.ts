import { defineCommand } from '../core/command.ts';
import { cliError, detachedByKeys } from '../core/errors.ts';
import { runAttachedTo } from './attached.ts';

/** Connects the terminal to a running container. */
export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER',
  arguments: { min: 1, max: 1 },
  flags: {
    'detach-keys': { type: 'string', summary: 'Keys that detach from the container' },
    'no-stdin': { type: 'bool', summary: 'Do not pass on standard input' },
    'sig-proxy': { type: 'bool', default: 'true', summary: 'Pass signals on to the container' },
  },
  async run({ args, flags }, ctx) {
    const client = await ctx.client();
    const container = await client.containers.inspect(args[0] ?? '');
    const { Running, Paused, Restarting } = container.State;
    if (!Running) throw cliError('You cannot attach to a stopped container, start it first');
    if (Paused) throw cliError('You cannot attach to a paused container, unpause it first');
    if (Restarting) throw cliError('You cannot attach to a restarting container, wait until it is running');
    const end = await runAttachedTo(ctx, client, {
      container,
      stdin: !flags['no-stdin'],
      sigProxy: flags['sig-proxy'] && !container.Config.Tty,
      detachKeys: flags['detach-keys'],
    });
    if (end === 'detached') throw detachedByKeys();
    return end;
  },
});
