export type { CliInput, CliOutput, CommandHandler, SignalSource } from './core/context.ts';
export { type CliOptions, runCli } from './core/main.ts';
export { parseFlags } from './flags/parse.ts';
export type { FlagSpec, FlagSpecs } from './flags/spec.ts';
export { renderFlags } from './flags/usage.ts';
