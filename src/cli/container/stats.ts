import { errorMessage, shortId } from '#base';
import type { EngineClient } from '#client';
import { defineCommand } from '../core/command.ts';
import type { CliContext } from '../core/context.ts';
import { cliError } from '../core/errors.ts';
import { renderList } from '../formatter/list.ts';
import { STATS_LAYOUT, type StatsEntry, statsRow } from '../formatter/stats.ts';
import { StatsBoard } from './stats-board.ts';

const REFRESH_MS = 500;
const CLEAR_SCREEN = '\x1b[H';
const CLEAR_LINE_END = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';

/** Watches what containers use. */
export const command = defineCommand({
  usage: '[OPTIONS] [CONTAINER...]',
  arguments: { min: 0 },
  flags: {
    all: { type: 'bool', short: 'a', summary: 'Show all containers, not only running ones' },
    format: { type: 'string', summary: "Output: 'table', 'table TEMPLATE', 'json' or a Go template" },
    'no-stream': { type: 'bool', summary: 'Show one sample and end' },
    'no-trunc': { type: 'bool', summary: 'Show everything in full' },
  },
  async run({ args, flags }, ctx) {
    const client = await ctx.client();
    const format = flags.format || ((await ctx.config()).statsFormat ?? '');
    const options = { truncate: !flags['no-trunc'] };
    const show = (entries: readonly StatsEntry[]) =>
      renderList(
        entries.map((entry) => statsRow(entry, options)),
        STATS_LAYOUT,
        { format, quiet: false },
      );
    if (flags['no-stream']) {
      const names = args.length > 0 ? args : await existing(client, flags.all);
      await ctx.stdout.write(show(await sampleAll(client, names)));
      return undefined;
    }
    await watch(ctx, new StatsBoard(client, { names: args, all: flags.all }), show);
    return undefined;
  },
});

const existing = async (client: EngineClient, all: boolean): Promise<string[]> =>
  (await client.containers.list({ all })).map(({ Id }) => shortId(Id));

async function sampleAll(client: EngineClient, names: readonly string[]): Promise<StatsEntry[]> {
  const sample = async (container: string): Promise<StatsEntry> => {
    const samples = await client.containers.stats(container, { stream: false });
    return { container, stats: (await samples.next()).value };
  };
  const results = await Promise.allSettled(names.map(sample));
  const failures = results.flatMap((result) =>
    result.status === 'rejected' ? [errorMessage(result.reason)] : [],
  );
  if (failures.length > 0) throw cliError(failures.join('\n'));
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}

/** Redraws until there is nothing left to watch. */
async function watch(
  ctx: CliContext,
  board: StatsBoard,
  show: (entries: readonly StatsEntry[]) => string,
): Promise<void> {
  try {
    await board.open();
    while (board.isOpen) {
      const text = show(board.entries());
      await ctx.stdout.write(ctx.stdout.isTerminal ? onScreen(text) : text);
      await board.pause(REFRESH_MS);
    }
  } finally {
    board.close();
  }
  board.throwFailures();
}

const onScreen = (text: string): string =>
  `${CLEAR_SCREEN}${text.replaceAll('\n', `${CLEAR_LINE_END}\n`)}${CLEAR_BELOW}`;
