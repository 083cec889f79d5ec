import { renderFlags } from '../flags/usage.ts';
import type { CommandDefinition } from './command.ts';
import type { CommandEntry, GroupEntry } from './entry.ts';
import { GLOBAL_FLAGS } from './globals.ts';
import { COMMANDS, fullNames, GROUPS, namesIn } from './table.ts';

interface HelpOptions {
  readonly program: string;
  /** Width to wrap to. */
  readonly columns: number;
}

type Row = readonly [name: string, summary: string];

const NAME_WIDTH = 11;

function block(title: string, rows: readonly Row[]): string {
  if (rows.length === 0) return '';
  const width = Math.max(NAME_WIDTH, ...rows.map(([name]) => name.length));
  const lines = rows.map(([name, summary]) => `  ${name.padEnd(width)} ${summary}\n`);
  return `\n${title}:\n${lines.join('')}`;
}

const byName = (a: Row, b: Row): number => (a[0] < b[0] ? -1 : 1);

/** Help of the program itself. */
export function rootHelp({ program, columns }: HelpOptions): string {
  const top = COMMANDS.filter(({ hidden, topLevel, path }) => !hidden && (topLevel || !path.includes(' ')));
  const row = ({ topLevel, path, summary }: CommandEntry): Row => [topLevel?.[0] ?? path, summary];
  return [
    `Usage:  ${program} [OPTIONS] COMMAND\n\nRun, build and look after containers\n`,
    block('Common Commands', top.filter(({ common }) => common).map(row)),
    block(
      'Management Commands',
      GROUPS.map(({ name, summary }): Row => [name, summary]),
    ),
    block(
      'Commands',
      top
        .filter(({ common }) => !common)
        .map(row)
        .sort(byName),
    ),
    `\nGlobal Options:\n${renderFlags(GLOBAL_FLAGS, columns)}`,
    `\nRun '${program} COMMAND --help' for more information on a command.\n`,
  ].join('');
}

/** Help of a noun. */
export function groupHelp(group: GroupEntry, { program }: HelpOptions): string {
  const rows = COMMANDS.filter(({ hidden }) => !hidden)
    .map((entry): Row => [namesIn(entry, group.name)[0] ?? '', entry.summary])
    .filter(([name]) => name !== '')
    .sort(byName);
  return [
    `Usage:  ${program} ${group.name} COMMAND\n\n${group.summary}\n`,
    block('Commands', rows),
    `\nRun '${program} ${group.name} COMMAND --help' for more information on a command.\n`,
  ].join('');
}

/** `gantry ps [OPTIONS]`, for help and below errors. */
export function usageLine(program: string, invokedAs: string, command: CommandDefinition): string {
  return `${program} ${invokedAs} ${command.usage}`.trimEnd();
}

/** Help of one command. */
export function commandHelp(
  entry: CommandEntry,
  command: CommandDefinition,
  invokedAs: string,
  { program, columns }: HelpOptions,
): string {
  const names = fullNames(entry);
  const aliases = names.map((name) => `${program} ${name}`).join(', ');
  const hasFlags = Object.values(command.flags).some(({ hidden }) => !hidden);
  return [
    `Usage:  ${usageLine(program, invokedAs, command)}\n\n${entry.summary}\n`,
    names.length > 1 ? `\nAliases:\n  ${aliases}\n` : '',
    command.examples?.length ? `\nExamples:\n${command.examples.map((line) => `  ${line}\n`).join('')}` : '',
    hasFlags ? `\nOptions:\n${renderFlags(command.flags, columns)}` : '',
  ].join('');
}
