export type { CommandDefinition } from './core/command.ts';
export type { CliInput, CliOutput, CommandHandler, SignalSource } from './core/context.ts';
export type { CommandEntry, GroupEntry } from './core/entry.ts';
export { GLOBAL_FLAGS } from './core/globals.ts';
export { type CliOptions, runCli } from './core/main.ts';
export { COMMANDS, fullNames, GROUPS } from './core/table.ts';
export { parseFlags } from './flags/parse.ts';
export type { FlagSpec, FlagSpecs } from './flags/spec.ts';
export { defaultText, flagTypeName, renderFlags } from './flags/usage.ts';
