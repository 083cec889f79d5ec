import type { SystemInfo } from '#api';
import { errorMessage } from '#base';
import { defineCommand } from '../core/command.ts';
import type { CliContext } from '../core/context.ts';
import { cliError, EXIT, present, silentExit } from '../core/errors.ts';
import { renderInfo } from '../formatter/info.ts';
import { templateParsing } from '../template/errors.ts';
import { compileTemplate, type Template } from '../template/template.ts';
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
      await writeTemplate(ctx, flags.format, {
        ...answer.info,
        ...failureFields(answer),
        ClientInfo: client,
      });
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

async function writeTemplate(
  ctx: CliContext,
  format: string,
  data: Readonly<Record<string, unknown>>,
): Promise<void> {
  const template = parse(format === 'json' ? '{{json .}}' : format);
  try {
    const text = template.run(new Struct('system.dockerInfo', data, { keepsOrder: true }));
    await ctx.stdout.write(`${text}\n`);
  } catch (error) {
    await ctx.stdout.write('\n');
    throw cliError(errorMessage(error), { cause: error });
  }
}

function parse(format: string): Template {
  try {
    return compileTemplate(format);
  } catch (error) {
    throw present(templateParsing(error), { exitCode: EXIT.badTemplate });
  }
}

function render(
  client: { readonly Version: string; readonly Context: string; readonly Debug: boolean },
  { info }: Answer,
): string {
  const head = `Client:\n Version:    ${client.Version}\n Context:    ${client.Context}\n Debug Mode: ${client.Debug}\n\nServer:\n`;
  return info ? `${head}${renderInfo(info)}\n` : head;
}
