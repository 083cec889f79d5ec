import type { CliContext } from './context.ts';
import { EXIT, silentExit } from './errors.ts';

/** Asks before something is deleted. @throws what ends the command in silence unless the answer is yes. */
export async function confirm(ctx: CliContext, warning: string): Promise<void> {
  await ctx.stdout.write(`${warning}\nAre you sure you want to continue? [y/N] `);
  let answer = '';
  for await (const chunk of ctx.stdin.chunks()) {
    answer += new TextDecoder().decode(chunk);
    if (answer.includes('\n')) break;
  }
  if (/^y$/i.test(answer.trim())) return;
  throw silentExit(EXIT.ok);
}
