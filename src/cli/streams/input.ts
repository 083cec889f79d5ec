import type { CliInput } from '../core/context.ts';
import { isatty, rawTerminal } from './terminal.ts';

/** Standard input of this process. */
export function stdinInput(): CliInput {
  let terminal: boolean | undefined;
  return {
    get isTerminal() {
      terminal ??= isatty(0);
      return terminal;
    },
    chunks: () => Bun.stdin.stream(),
    raw: rawTerminal,
  };
}
