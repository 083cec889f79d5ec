import { errorMessage } from '#base';
import type { CliContext } from '../core/context.ts';
import { cliError } from '../core/errors.ts';
import { compileTemplate, type Template } from '../template/template.ts';
import type { Struct } from '../template/values.ts';
import { alignColumns } from './tabwriter.ts';

/** What a list can show: column names by field, and its default table. */
export interface ListLayout {
  /** Header by field name. */
  readonly headers: Readonly<Record<string, string>>;
  /** Template of the default table, without `table `. */
  readonly table: string;
  /** Field that `--quiet` shows. */
  readonly quiet: string;
  /** What stands before the reason why a template does not fit. Default: `failed to execute template`. */
  readonly failure?: string;
}

export interface ListOptions {
  /** As the user gave it; empty is the default. */
  readonly format: string;
  readonly quiet: boolean;
}

const TABLE = 'table';

/** The template and whether it makes a table. */
function resolveFormat(
  format: string,
  layout: ListLayout,
  quiet: boolean,
): { template: string; isTable: boolean } {
  if (format === '' || format === TABLE) {
    return quiet
      ? { template: `{{.${layout.quiet}}}`, isTable: false }
      : { template: layout.table, isTable: true };
  }
  if (format === 'json') return { template: '{{json .}}', isTable: false };
  // As docker has it: whatever follows the word.
  const isTable = format.startsWith(TABLE);
  const body = isTable ? format.slice(TABLE.length) : format;
  return {
    template: body
      .replace(/^[ ]+|[ ]+$/g, '')
      .replaceAll('\\t', '\t')
      .replaceAll('\\n', '\n'),
    isTable,
  };
}

/** Renders rows as a table, or one line each. @throws docker's text for a template that does not fit. */
export function renderList(rows: readonly Struct[], layout: ListLayout, options: ListOptions): string {
  const { template: source, isTable } = resolveFormat(options.format, layout, options.quiet);
  const template = compile(source);
  const lines = rows.map((row) => `${runRow(template, row, layout.failure)}\n`).join('');
  if (!isTable) return lines;
  return alignColumns(`${template.runHeader(layout.headers)}\n${lines}`);
}

export function compile(source: string): Template {
  try {
    return compileTemplate(source);
  } catch (error) {
    throw cliError(`failed to parse template: ${errorMessage(error)}`, { cause: error });
  }
}

export function runRow(template: Template, row: unknown, failure = 'failed to execute template'): string {
  try {
    return template.run(row);
  } catch (error) {
    throw cliError(`${failure}: ${errorMessage(error)}`, { cause: error });
  }
}

/** Renders and writes a list. */
export async function writeList(
  ctx: CliContext,
  rows: readonly Struct[],
  layout: ListLayout,
  options: ListOptions,
): Promise<void> {
  await ctx.stdout.write(renderList(rows, layout, options));
}
