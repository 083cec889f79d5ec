import { type FlagSpecs, parseFlags, renderFlags } from '#cli';
import type { FlagTexts } from './config/load.ts';
import { type DaemonOption, daemonOption, OPTION_NAMES } from './config/options.ts';

/** What the command line asks for. */
export type DaemonCommand =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | { readonly kind: 'validate'; readonly flags: FlagTexts }
  | { readonly kind: 'run'; readonly flags: FlagTexts };

const HELP_COLUMNS = 80;
const VALIDATE_FLAG = { type: 'bool', summary: 'Check the configuration and quit' } as const;
const VERSION_FLAG = { type: 'bool', short: 'v', summary: 'Print version information and quit' } as const;

/** @throws the CLI's usage error for flags that are not there or lack their argument. */
export function parseDaemonCommand(argv: readonly string[]): DaemonCommand {
  const parsed = parseFlags(argv, flagSpecs());
  if (parsed.help) return { kind: 'help' };
  if (parsed.changed.has('version')) return { kind: 'version' };
  const flags: Record<string, readonly string[]> = {};
  for (const name of OPTION_NAMES) if (parsed.changed.has(name)) flags[name] = asTexts(parsed.values[name]);
  return { kind: parsed.values['validate'] === true ? 'validate' : 'run', flags };
}

/** Every value is kept as the texts that were typed: daemon.json and flags are checked by the same code later. */
function flagSpecs(): FlagSpecs {
  const flags = OPTION_NAMES.filter((name) => !daemonOption(name).fileOnly);
  const rows = flags.map((name) => [name, toFlag(daemonOption(name))] as const);
  return { ...Object.fromEntries(rows), validate: VALIDATE_FLAG, version: VERSION_FLAG };
}

function toFlag({ kind, short, summary, placeholder, refused }: DaemonOption) {
  return {
    type: kind === 'boolean' ? ('bool' as const) : ('list' as const),
    summary,
    ...(short !== undefined && { short }),
    ...(kind !== 'boolean' && { typeName: placeholder ?? (kind === 'map' ? 'key=value' : kind) }),
    ...(refused === true && { hidden: true }),
  };
}

const asTexts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.map(String) : [String(value)];

/** The text of `gantry daemon --help`. */
export function daemonHelp(): string {
  return `\nUsage:  gantry daemon [OPTIONS]\n\nRun the container engine\n\nOptions:\n${renderFlags(flagSpecs(), HELP_COLUMNS)}`;
}
