import type { EngineClient } from '#client';
import { defineCommand } from '../core/command.ts';
import type { CliContext } from '../core/context.ts';
import { renderList } from '../formatter/list.ts';
import { STATS_LAYOUT, type StatsEntry, statsRow } from '../formatter/stats.ts';

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
    const names =
      args.length > 0 ? args : (await client.containers.list({ all: flags.all })).map(({ Id }) => Id);
    const options = { truncate: !flags['no-trunc'] };
    const show = (entries: readonly StatsEntry[]) =>
      renderList(
        entries.map((entry) => statsRow(entry, options)),
        STATS_LAYOUT,
        { format, quiet: false },
      );
    if (flags['no-stream']) {
      const entries = await Promise.all(names.map((name) => sampleOnce(client, name)));
      await ctx.stdout.write(show(entries));
      return undefined;
    }
    await watch(ctx, client, names, show);
    return undefined;
  },
});

async function sampleOnce(client: EngineClient, container: string): Promise<StatsEntry> {
  const samples = await client.containers.stats(container, { stream: false });
  const { value } = await samples.next();
  return { container, stats: value };
}

/** Redraws until all streams have ended or the user interrupts. */
async function watch(
  ctx: CliContext,
  client: EngineClient,
  names: readonly string[],
  show: (entries: readonly StatsEntry[]) => string,
): Promise<void> {
  const abort = new AbortController();
  const entries = new Map<string, StatsEntry>(
    names.map((name) => [name, { container: name, stats: undefined }]),
  );
  using _interrupt = ctx.signals.on(['SIGINT', 'SIGTERM'], () => abort.abort());
  const follow = async (container: string) => {
    const samples = await client.containers.stats(container, { stream: true, signal: abort.signal });
    for await (const stats of samples) entries.set(container, { container, stats });
  };
  let open = names.length;
  const following = names.map((name) =>
    follow(name)
      .catch((error: unknown) => {
        if (!abort.signal.aborted && names.length === 1) throw error;
      })
      .finally(() => {
        open -= 1;
      }),
  );
  const drawing = (async () => {
    while (open > 0 && !abort.signal.aborted) {
      const text = show([...entries.values()]);
      await ctx.stdout.write(ctx.stdout.isTerminal ? onScreen(text) : text);
      await Bun.sleep(REFRESH_MS);
    }
  })();
  await Promise.all([drawing, ...following]);
}

const onScreen = (text: string): string =>
  `${CLEAR_SCREEN}${text.replaceAll('\n', `${CLEAR_LINE_END}\n`)}${CLEAR_BELOW}`;
