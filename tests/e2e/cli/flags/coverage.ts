import { COMMANDS, type FlagSpecs, fullNames, parseFlags } from '#cli';
import { words } from '../words.ts';
import { SCENARIOS } from './commands.ts';
import { CREATE_SCENARIOS } from './create.ts';

/** A command and one of its flags, as `container kill --signal`. */
export type Pair = string;

const CONCERNED = /^container |^inspect$|^version$|^system /;

/** The table's commands that concern containers, by their canonical name. */
export const concernedCommands = () => COMMANDS.filter(({ path }) => CONCERNED.test(path));

/** Every pair that there is, the hidden flags included: they are understood, so they are proven. */
export async function allPairs(): Promise<Pair[]> {
  const pairs = await Promise.all(
    concernedCommands().map(async ({ path, load }) =>
      Object.keys((await load()).command.flags).map((flag) => `${path} --${flag}`),
    ),
  );
  return pairs.flat();
}

/** The pairs that scenarios use. Lines are read by the command line's own grammar, so nothing can be claimed twice. */
export async function provenPairs(): Promise<Set<Pair>> {
  const lines = [
    ...SCENARIOS.map(({ line }) => words(line)),
    ...CREATE_SCENARIOS.flatMap(({ flags }) =>
      ['create', 'run'].map((command) => [command, ...words(flags), 'busybox']),
    ),
  ];
  return new Set((await Promise.all(lines.map(pairsOf))).flat());
}

async function pairsOf(line: readonly string[]): Promise<Pair[]> {
  const entry = COMMANDS.find((candidate) =>
    fullNames(candidate).some((name) => startsWith(line, name.split(' '))),
  );
  if (!entry) throw new Error(`no such command: ${line.join(' ')}`);
  const { command } = await entry.load();
  const name = fullNames(entry).find((each) => startsWith(line, each.split(' '))) ?? '';
  const args = line.slice(name.split(' ').length);
  const { changed, help } = parseFlags(args, withoutChecks(command.flags), {
    interspersed: command.interspersed ?? true,
  });
  return [...changed, ...(help ? ['help'] : [])].map((flag) => `${entry.path} --${flag}`);
}

const startsWith = (line: readonly string[], name: readonly string[]): boolean =>
  name.every((word, at) => line[at] === word);

/** Placeholders are not yet filled in: values are not looked at. */
const withoutChecks = (flags: FlagSpecs): FlagSpecs =>
  Object.fromEntries(
    Object.entries(flags).map(([name, { type, short }]) => [
      name,
      { type: type === 'bool' ? 'bool' : 'list', summary: '', ...(short !== undefined && { short }) },
    ]),
  );
