export type { CliInput, CliOutput, CommandHandler, SignalSource } from './core/context.ts';
export { type CliOptions, runCli } from './core/main.ts';
