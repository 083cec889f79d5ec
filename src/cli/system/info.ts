import type { SystemInfo } from '#api';
import { errorMessage } from '#base';
import { defineCommand } from '../core/command.ts';
import type { CliContext } from '../core/context.ts';
import { cliError, silentExit } from '../core/errors.ts';
import { renderInfo } from '../formatter/info.ts';
import { compileTemplate } from '../template/template.ts';
import { Struct } from '../template/values.ts';

/** Shows how the engine is set up. Without an engine the client's part is shown, and the exit code is 1. */
export const command = defineCommand({
  usage: '[OPTIONS]',
  arguments: { min: 0, max: 0 },
  flags: { format: { type: 'string', short: 'f', summary: "Output: 'json' or a Go template" } },
  async run({ flags }, ctx) {
    const answer = await ask(ctx);
    const client = {
      Debug: ctx.globals.debug,
      Version: ctx.version,
      Context: ctx.globals.context || 'default',
      Plugins: [],
      Warnings: null,
    };
    if (flags.format === '') await ctx.stdout.write(render(client, answer));
    else
      await ctx.stdout.write(
        `${fromTemplate(flags.format, { ...answer.info, ...failureFields(answer), ClientInfo: client })}\n`,
      );
    if (answer.failure === undefined) {
      for (const warning of flags.format === '' ? (answer.info?.Warnings ?? []) : [])
        await ctx.stderr.write(`${warning}\n`);
      return undefined;
    }
    await ctx.stderr.write(`${errorMessage(answer.failure)}\n`);
    throw silentExit(1);
  },
});

interface Answer {
  readonly info?: SystemInfo;
  readonly failure?: unknown;
}

async function ask(ctx: CliContext): Promise<Answer> {
  try {
    return { info: await (await ctx.client()).system.info() };
  } catch (failure) {
    return { failure };
  }
}

const failureFields = ({ failure }: Answer) =>
  failure === undefined ? {} : { ServerErrors: [errorMessage(failure)] };

function fromTemplate(format: string, data: Readonly<Record<string, unknown>>): string {
  try {
    return compileTemplate(format === 'json' ? '{{json .}}' : format).run(
      new Struct('system.dockerInfo', data, { keepsOrder: true }),
    );
  } catch (error) {
    throw cliError(errorMessage(error), { cause: error });
  }
}

function render(
  client: { readonly Version: string; readonly Context: string; readonly Debug: boolean },
  { info }: Answer,
): string {
  const head = `Client:\n Version:    ${client.Version}\n Context:    ${client.Context}\n Debug Mode: ${client.Debug}\n\nServer:\n`;
  return info ? `${head}${renderInfo(info)}\n` : head;
}
