import { errorMessage } from '#base';
import { defineCommand } from '../core/command.ts';
import { cliError, EXIT } from '../core/errors.ts';
import { runAttachedTo } from './attached.ts';

const EXPERIMENTAL = { hidden: true, onlyOn: 'experimental' } as const;

/** Starts stopped containers. */
export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  arguments: { min: 1 },
  flags: {
    attach: { type: 'bool', short: 'a', summary: 'Show its output and pass signals on' },
    checkpoint: { type: 'string', summary: 'Restore from this checkpoint', ...EXPERIMENTAL },
    'checkpoint-dir': { type: 'string', summary: 'Directory of the checkpoint', ...EXPERIMENTAL },
    'detach-keys': { type: 'string', summary: 'Keys that detach from the container' },
    interactive: { type: 'bool', short: 'i', summary: 'Pass on standard input' },
  },
  async run({ args, flags }, ctx) {
    const client = await ctx.client();
    if (flags.attach || flags.interactive) {
      if (args.length > 1) throw cliError('you cannot start and attach multiple containers at once');
      const container = await client.containers.inspect(args[0] ?? '');
      const end = await runAttachedTo(ctx, client, {
        container,
        stdin: flags.interactive,
        sigProxy: !container.Config.Tty,
        detachKeys: flags['detach-keys'],
        ready: () => client.containers.start(container.Id),
      });
      return end === 'detached' ? EXIT.ok : end;
    }
    // One after the other: an earlier container may be what a later one needs.
    const failed: string[] = [];
    for (const name of args) {
      try {
        await client.containers.start(name);
        await ctx.stdout.write(`${name}\n`);
      } catch (error) {
        await ctx.stderr.write(`${errorMessage(error)}\n`);
        failed.push(name);
      }
    }
    if (failed.length > 0) throw cliError(`Error: failed to start containers: ${failed.join(', ')}`);
    return undefined;
  },
});
