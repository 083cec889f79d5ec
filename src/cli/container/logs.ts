import { errorMessage } from '#base';
import { defineCommand } from '../core/command.ts';
import { cliError } from '../core/errors.ts';
import { toEngineTime } from '../core/timestamp.ts';
import { Demultiplexer } from '../session/multiplex.ts';

/** Shows a container's output, standard output and standard error apart. */
export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER',
  arguments: { min: 1, max: 1 },
  flags: {
    details: { type: 'bool', summary: 'Show extra attributes of the log driver' },
    follow: { type: 'bool', short: 'f', summary: 'Go on with new output' },
    since: {
      type: 'string',
      summary: 'Show output from a time on ("2013-01-02T13:23:37Z") or from a while ago ("42m")',
    },
    tail: { type: 'string', short: 'n', default: 'all', summary: 'Number of last lines' },
    timestamps: { type: 'bool', short: 't', summary: 'Show the time of each line' },
    until: {
      type: 'string',
      summary: 'Show output up to a time ("2013-01-02T13:23:37Z") or a while ago ("42m")',
    },
  },
  async run({ args, flags }, ctx) {
    const client = await ctx.client();
    const name = args[0] ?? '';
    const { Config, Id } = await client.containers.inspect(name);
    const body = await client.containers.logs(Id, {
      follow: flags.follow,
      timestamps: flags.timestamps,
      details: flags.details,
      tail: flags.tail,
      since: timeOf('since', flags.since, ctx.now()),
      until: timeOf('until', flags.until, ctx.now()),
    });
    const demultiplexer = new Demultiplexer(ctx);
    for await (const chunk of body) await (Config.Tty ? ctx.stdout.write(chunk) : demultiplexer.write(chunk));
    return undefined;
  },
});

/** @throws docker's text, with the flag's name. */
function timeOf(flag: string, text: string, nowMs: number): string {
  try {
    return toEngineTime(text, nowMs);
  } catch (error) {
    throw cliError(`invalid value for "${flag}": ${errorMessage(error)}`, { cause: error });
  }
}
