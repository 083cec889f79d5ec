import type { JSONMessage } from '#api';
import { openFile } from '../core/archive.ts';
import { defineCommand } from '../core/command.ts';
import { cliError } from '../core/errors.ts';
import { showProgress } from '../progress/show.ts';

/** Loads images from an archive. */
export const command = defineCommand({
  usage: '[OPTIONS]',
  arguments: { min: 0, max: 0 },
  flags: {
    input: { type: 'string', short: 'i', summary: 'Archive to read instead of standard input' },
    platform: { type: 'stringSlice', summary: 'Load only these platforms' },
    quiet: { type: 'bool', short: 'q', summary: 'No progress' },
  },
  async run({ flags }, ctx) {
    if (flags.input === '' && ctx.stdin.isTerminal)
      throw cliError('requested load from stdin, but stdin is empty');
    const archive = flags.input === '' ? ctx.stdin.chunks() : await openFile(flags.input);
    // Bars make sense only on a terminal.
    const quiet = flags.quiet || !ctx.stdout.isTerminal;
    const client = await ctx.client();
    const { isJson, body } = await client.images.load(archive, { quiet, platforms: flags.platform });
    if (isJson) await showProgress(body.jsonValues<JSONMessage>(), ctx.stdout);
    else for await (const chunk of body) await ctx.stdout.write(chunk);
    return undefined;
  },
});
