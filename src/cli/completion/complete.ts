import type { EngineClient } from '#client';
import { type CommandDefinition, defineCommand } from '../core/command.ts';
import type { CliContext } from '../core/context.ts';
import { GLOBAL_FLAGS } from '../core/globals.ts';
import { COMMANDS, GROUPS, lookup, namesIn } from '../core/table.ts';
import type { FlagSpec, FlagSpecs } from '../flags/spec.ts';

/** A word and what it means. */
type Candidate = readonly [word: string, summary: string];

/** Lists what the last word of a command line can become. */
export const command = defineCommand({
  usage: 'WORD...',
  arguments: { min: 0 },
  flags: {},
  parsesFlags: false,
  async run({ args }, ctx) {
    const current = args.at(-1) ?? '';
    const candidates = await candidatesFor(args.slice(0, -1), current, ctx);
    const lines = candidates
      .filter(([word]) => word.startsWith(current))
      .map(([word, summary]) => `${word}\t${summary}\n`);
    await ctx.stdout.write(lines.join(''));
    return undefined;
  },
});

async function candidatesFor(
  before: readonly string[],
  current: string,
  ctx: CliContext,
): Promise<readonly Candidate[]> {
  const { positional: words, pending } = skipFlags(before, GLOBAL_FLAGS, { stopAtFirst: true });
  if (pending) return [];
  if (words.length === 0) return current.startsWith('-') ? flagNames(GLOBAL_FLAGS) : topLevel();
  const found = lookup(words);
  if (found.kind === 'group') return found.rest.length === 0 ? verbs(found.group.name) : [];
  if (found.kind === 'unknown') return [];
  const { command: definition } = await found.entry.load();
  return await argumentsOf(definition, found.rest, current, ctx);
}

function topLevel(): Candidate[] {
  const commands = COMMANDS.filter(({ hidden }) => !hidden).flatMap(({ path, topLevel, summary }) =>
    (topLevel ?? (path.includes(' ') ? [] : [path])).map((name): Candidate => [name, summary]),
  );
  return [...GROUPS.map(({ name, summary }): Candidate => [name, summary]), ...commands];
}

const verbs = (group: string): Candidate[] =>
  COMMANDS.filter(({ hidden }) => !hidden).flatMap((entry): Candidate[] => {
    const [name] = namesIn(entry, group);
    return name === undefined ? [] : [[name, entry.summary]];
  });

const flagNames = (flags: FlagSpecs): Candidate[] =>
  Object.entries(flags)
    .filter(([, { hidden }]) => !hidden)
    .map(([name, { summary }]): Candidate => [`--${name}`, summary]);

async function argumentsOf(
  { flags, usage, interspersed = true }: CommandDefinition,
  before: readonly string[],
  current: string,
  ctx: CliContext,
): Promise<readonly Candidate[]> {
  const { positional, pending } = skipFlags(before, flags, { stopAtFirst: !interspersed });
  // The value of a flag: the shell's file names are the best guess.
  if (pending) return [];
  if (current.startsWith('-') && (interspersed || positional.length === 0)) return flagNames(flags);
  return await objects(placeholderAt(usage, positional.length), ctx);
}

/** The usage line says what stands where: `[OPTIONS] CONTAINER [CONTAINER...]`. The last place repeats with dots. */
function placeholderAt(usage: string, index: number): string {
  const places = usage.split(' ').filter((word) => word !== '[OPTIONS]');
  return places[index] ?? (places.at(-1)?.includes('...') ? (places.at(-1) ?? '') : '');
}

const SOURCES: readonly (readonly [RegExp, (client: EngineClient) => Promise<Candidate[]>])[] = [
  [/CONTAINER|NAME\|ID/, containers],
  [/IMAGE/, images],
  [/NETWORK/, networks],
  [/VOLUME/, volumes],
];

/** An engine that does not answer has nothing to offer; completion never complains. */
async function objects(placeholder: string, ctx: CliContext): Promise<readonly Candidate[]> {
  const source = SOURCES.find(([pattern]) => pattern.test(placeholder))?.[1];
  if (source)
    return await ctx
      .client()
      .then(source)
      .catch(() => []);
  const words = placeholder.replaceAll(/[[\]]/g, '').split('|');
  return words.length > 1 && words.every((word) => /^[a-z]+$/.test(word))
    ? words.map((word): Candidate => [word, ''])
    : [];
}

async function containers(client: EngineClient): Promise<Candidate[]> {
  const listed = await client.containers.list({ all: true });
  return listed.map(({ Names, Image, State }) => [Names?.[0]?.slice(1) ?? '', `${Image}, ${State}`]);
}

async function images(client: EngineClient): Promise<Candidate[]> {
  const tags = (await client.images.list()).flatMap(({ RepoTags }) => RepoTags ?? []);
  return tags
    .flatMap((tag) => (tag.endsWith(':latest') ? [tag, tag.slice(0, -':latest'.length)] : [tag]))
    .map((tag): Candidate => [tag, 'image']);
}

async function networks(client: EngineClient): Promise<Candidate[]> {
  return (await client.networks.list()).map(({ Name, Driver }): Candidate => [Name, Driver]);
}

async function volumes(client: EngineClient): Promise<Candidate[]> {
  return ((await client.volumes.list()).Volumes ?? []).map(({ Name, Driver }): Candidate => [Name, Driver]);
}

interface Skipped {
  readonly positional: readonly string[];
  /** The last flag still waits for its value. */
  readonly pending: boolean;
}

/** Tells positional arguments from flags and their values, without complaining about unfinished ones. */
function skipFlags(
  words: readonly string[],
  specs: FlagSpecs,
  { stopAtFirst }: { readonly stopAtFirst: boolean },
): Skipped {
  const positional: string[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    if (!word.startsWith('-') || word === '-') {
      if (stopAtFirst) return { positional: [...positional, ...words.slice(index)], pending: false };
      positional.push(word);
      continue;
    }
    if (!takesNextWord(word, specs)) continue;
    index += 1;
    if (index >= words.length) return { positional, pending: true };
  }
  return { positional, pending: false };
}

function takesNextWord(word: string, specs: FlagSpecs): boolean {
  if (word.includes('=')) return false;
  const needsValue = (spec: FlagSpec | undefined) => spec !== undefined && spec.type !== 'bool';
  if (word.startsWith('--')) return Object.hasOwn(specs, word.slice(2)) && needsValue(specs[word.slice(2)]);
  const letters = [...word.slice(1)];
  const byLetter = (letter: string) => Object.values(specs).find(({ short }) => short === letter);
  const first = letters.findIndex((letter) => needsValue(byLetter(letter)));
  // `-p80` has its value already; only the last letter takes the next word.
  return first >= 0 && first === letters.length - 1;
}
