import { COMPLETION_COMMANDS } from '../completion/table.ts';
import { CONTAINER_COMMANDS } from '../container/table.ts';
import { DAEMON_COMMANDS } from '../daemon/table.ts';
import { IMAGE_COMMANDS } from '../image/table.ts';
import { NETWORK_COMMANDS } from '../network/table.ts';
import { SYSTEM_COMMANDS } from '../system/table.ts';
import { VOLUME_COMMANDS } from '../volume/table.ts';
import type { CommandEntry, GroupEntry } from './entry.ts';

/** Groups of commands, in the order of the help text. */
export const GROUPS: readonly GroupEntry[] = [
  { name: 'container', summary: 'Work with containers' },
  { name: 'image', summary: 'Work with images' },
  { name: 'network', summary: 'Work with networks' },
  { name: 'system', summary: 'Look at the engine and what it uses' },
  { name: 'volume', summary: 'Work with volumes' },
];

/** Every command. Their code is loaded only when they run. */
export const COMMANDS: readonly CommandEntry[] = [
  ...CONTAINER_COMMANDS,
  ...IMAGE_COMMANDS,
  ...NETWORK_COMMANDS,
  ...SYSTEM_COMMANDS,
  ...VOLUME_COMMANDS,
  ...DAEMON_COMMANDS,
  ...COMPLETION_COMMANDS,
];

export type Lookup =
  | {
      readonly kind: 'command';
      readonly entry: CommandEntry;
      readonly invokedAs: string;
      readonly rest: readonly string[];
    }
  | { readonly kind: 'group'; readonly group: GroupEntry; readonly rest: readonly string[] }
  | { readonly kind: 'unknown'; readonly name: string };

/** Finds the command that `words` starts with. */
export function lookup(words: readonly string[]): Lookup {
  const [first = '', second] = words;
  const group = GROUPS.find(({ name }) => name === first);
  if (group && second !== undefined) {
    const entry = COMMANDS.find((candidate) => namesIn(candidate, first).includes(second));
    if (entry) return { kind: 'command', entry, invokedAs: `${first} ${second}`, rest: words.slice(2) };
  }
  if (group) return { kind: 'group', group, rest: words.slice(1) };
  const entry = COMMANDS.find((candidate) => candidate.topLevel?.includes(first) || candidate.path === first);
  return entry
    ? { kind: 'command', entry, invokedAs: first, rest: words.slice(1) }
    : { kind: 'unknown', name: first };
}

/** The names of a command within its group; empty when it is not of that group. */
export function namesIn(entry: CommandEntry, group: string): readonly string[] {
  const [noun, verb] = entry.path.split(' ');
  return noun === group && verb !== undefined ? [verb, ...(entry.aliases ?? [])] : [];
}

/** All full names of a command, the canonical one first. */
export function fullNames(entry: CommandEntry): readonly string[] {
  const [noun, verb] = entry.path.split(' ');
  const inGroup =
    verb === undefined ? [noun ?? ''] : namesIn(entry, noun ?? '').map((name) => `${noun} ${name}`);
  return [...inGroup, ...(entry.topLevel ?? [])];
}
