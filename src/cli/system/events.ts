import type { EventMessage } from '#api';
import { errorMessage } from '#base';
import { defineCommand } from '../core/command.ts';
import { cliError, EXIT } from '../core/errors.ts';
import { toEngineTime } from '../core/timestamp.ts';
import { eventLine, eventStruct, withOldNames } from '../formatter/event.ts';
import { compileTemplate } from '../template/template.ts';
import { exactNumbers } from '../template/values.ts';

/** Watches what happens in the engine. */
export const command = defineCommand({
  usage: '[OPTIONS]',
  arguments: { min: 0, max: 0 },
  flags: {
    filter: { type: 'filter', short: 'f', summary: 'Show only what matches (such as "type=container")' },
    format: { type: 'string', summary: "Output: 'json' or a Go template" },
    since: { type: 'string', summary: 'Start with events of this time, or of a while ago' },
    until: { type: 'string', summary: 'End with events of this time, or of a while ago' },
  },
  async run({ flags }, ctx) {
    const print = printer(flags.format);
    const range = (text: string) => (text === '' ? undefined : toEngineTime(text, ctx.now()));
    const events = await (await ctx.client()).system.events({
      since: range(flags.since),
      until: range(flags.until),
      filters: flags.filter,
    });
    for await (const event of events) await ctx.stdout.write(print(event));
    return undefined;
  },
});

function printer(format: string): (event: EventMessage) => string {
  if (format === '') return eventLine;
  if (format === 'json') return (event) => `${JSON.stringify(withOldNames(event), exactNumbers)}\n`;
  const template = parsing(() => compileTemplate(format));
  // A template that asks for what no event has fails before there is one.
  parsing(() => template.run(eventStruct(NO_EVENT)));
  return (event) => `${parsing(() => template.run(eventStruct(event)))}\n`;
}

const NO_EVENT: EventMessage = { Type: '', Action: '', Actor: { ID: '', Attributes: {} } };

function parsing<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw cliError(`Error parsing format: ${errorMessage(error)}`, {
      exitCode: EXIT.badTemplate,
      cause: error,
    });
  }
}
